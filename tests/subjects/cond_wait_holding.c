/* Waits for a condition while it holds a lock besides the mutex.  That is a
 * note until a signaller was seen that takes the lock on its way.
 *
 * case: noted
 * silent
 * note: cond-wait-holding none
 *
 * case: signaller-holds
 * expect: cond-wait-holding none warning
 * call: SIGNALS holding
 * earlier: WAITS here
 * earlier thread: waiter
 * lock: ledger
 *
 * case: signaller-first
 * expect: cond-wait-holding none warning
 * call: WAITS here
 * earlier: SIGNALS holding
 * earlier thread: signaller
 * lock: ledger
 *
 * case: after-unlock
 * expect: cond-wait-holding none warning
 * call: SIGNALS after unlock
 * earlier: WAITS here
 * lock: ledger
 *
 * case: broadcast
 * expect: cond-wait-holding none warning
 * call: SIGNALS to all
 * earlier: WAITS here
 * lock: ledger
 *
 * case: another-lock
 * silent
 * near: cond-wait-holding
 *
 * case: nothing-else
 * silent
 * near: cond-wait-holding
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *what;

static int is(const char *word) { return strcmp(what, word) == 0; }

static void *waiter(void *unused) {
    pthread_setname_np(pthread_self(), "waiter");
    await_turn(is("signaller-first") ? 1 : 0);
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += 20 * 1000 * 1000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    if (!is("nothing-else"))
        pthread_mutex_lock(&ledger);
    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&changed, &mutex, &at); /* WAITS here */
    pthread_mutex_unlock(&mutex);
    if (!is("nothing-else"))
        pthread_mutex_unlock(&ledger);
    turn = 2;
    return unused;
}

static void signal_holding(pthread_mutex_t *outer) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(&mutex);
    if (is("broadcast"))
        pthread_cond_broadcast(&changed); /* SIGNALS to all */
    else if (!is("after-unlock"))
        pthread_cond_signal(&changed); /* SIGNALS holding */
    pthread_mutex_unlock(&mutex);
    pthread_mutex_unlock(outer);
    if (is("after-unlock"))
        pthread_cond_signal(&changed); /* SIGNALS after unlock */
}

static void *signaller(void *unused) {
    pthread_setname_np(pthread_self(), "signaller");
    await_turn(is("signaller-first") ? 0 : 2);
    if (is("another-lock"))
        signal_holding(&journal);
    else if (!is("noted"))
        signal_holding(&ledger);
    turn = is("signaller-first") ? 1 : 3;
    await_turn(2);
    return unused;
}

int main(int argc, char **argv) {
    what = argc > 1 ? argv[1] : "";
    alarm(60);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, waiter, NULL);
    pthread_create(&threads[1], NULL, signaller, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
