/* Threads that end by cancellation while they hold a lock.
 *
 * case: deferred
 * expect: cancel-unsafe none warning
 * call: CANCELS it
 * earlier: TAKEN here
 * lock: ledger
 *
 * case: asynchronous
 * expect: cancel-unsafe none warning
 * call: CANCELS it
 * earlier: TAKEN here
 * lock: ledger
 *
 * case: rwlock
 * expect: cancel-unsafe none warning
 * call: CANCELS it
 * earlier: TAKEN for writing
 * lock: table
 *
 * case: waiting
 * expect: cancel-unsafe none warning
 * call: CANCELS it
 * earlier: WAITS with it
 * lock: ledger
 *
 * case: other-clean-up
 * expect: cancel-unsafe none warning
 * call: CANCELS it
 * earlier: TAKEN here
 *
 * case: clean-up
 * silent
 * near: cancel-unsafe
 *
 * case: waiting-clean-up
 * silent
 * near: cancel-unsafe
 *
 * case: not-held
 * silent
 * near: cancel-unsafe
 *
 * case: disabled
 * silent
 * near: cancel-unsafe
 *
 * case: robust
 * silent
 * note: cancel-unsafe none
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *what;

static int is(const char *word) { return strcmp(what, word) == 0; }

static void unlock(void *mutex) { pthread_mutex_unlock(mutex); }
static void nothing(void *unused) { (void)unused; }

static void until_cancelled(void) {
    next_turn();
    for (;;)
        pause();
}

static void spin(void) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    next_turn();
    for (;;)
        ;
}

static void locks(void) {
    pthread_mutex_lock(&ledger); /* TAKEN here */
    pthread_cleanup_push(nothing, NULL);
    if (is("asynchronous"))
        spin();
    until_cancelled();
    pthread_cleanup_pop(0);
}

static void cleans_up(void) {
    pthread_mutex_lock(&ledger);
    pthread_cleanup_push(unlock, &ledger);
    until_cancelled();
    pthread_cleanup_pop(1);
}

static void writes(void) {
    pthread_rwlock_wrlock(&table); /* TAKEN for writing */
    until_cancelled();
}

static void waits(void) {
    pthread_mutex_lock(&ledger);
    next_turn();
    for (;;)
        pthread_cond_wait(&changed, &ledger); /* WAITS with it */
}

static void waits_and_cleans_up(void) {
    pthread_mutex_lock(&ledger);
    pthread_cleanup_push(unlock, &ledger);
    next_turn();
    for (;;)
        pthread_cond_wait(&changed, &ledger);
    pthread_cleanup_pop(1);
}

static void *body(void *unused) {
    int old;
    if (is("rwlock"))
        writes();
    if (is("waiting"))
        waits();
    if (is("waiting-clean-up"))
        waits_and_cleans_up();
    if (is("clean-up"))
        cleans_up();
    if (is("not-held") || is("disabled")) {
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        pthread_mutex_lock(&ledger);
        next_turn();
        usleep(20 * 1000);
        pthread_mutex_unlock(&ledger);
        if (is("disabled"))
            return unused;
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
        until_cancelled();
    }
    locks();
    return unused;
}

int main(int argc, char **argv) {
    what = argc > 1 ? argv[1] : "";
    alarm(60);
    if (is("robust")) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&ledger, &attributes);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    await_turn(1);
    usleep(10 * 1000);
    pthread_cancel(thread); /* CANCELS it */
    pthread_join(thread, NULL);
    return 0;
}
