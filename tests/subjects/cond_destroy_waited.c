/* Destroys a condition while threads wait for it: glibc would wait in there for
 * ever, so another thread wakes them a moment later.
 *
 * case: one
 * expect: cond-destroy-waited none error
 * call: DESTROYS it
 * earlier: WAITS here
 * earlier thread: waiter
 *
 * case: two-one-woken
 * expect: cond-destroy-waited none error
 * call: DESTROYS it
 * earlier: WAITS here
 *
 * case: c11
 * expect: cond-destroy-waited none error
 * call: DESTROYS c11
 * earlier: WAITS here
 *
 * case: gone
 * silent
 * near: cond-destroy-waited
 *
 * case: woken
 * silent
 * near: cond-destroy-waited
 *
 * case: used-again
 * silent
 * near: cond-destroy-waited
 */
#include <pthread.h>
#include <string.h>
#include <threads.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int done;

static void *waiter(void *unused) {
    pthread_setname_np(pthread_self(), "waiter");
    pthread_mutex_lock(&mutex);
    next_turn();
    while (!done)
        pthread_cond_wait(&changed, &mutex); /* WAITS here */
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void start(pthread_t *thread, int number) {
    pthread_create(thread, NULL, waiter, NULL);
    await_turn(number);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void wake(void) {
    pthread_mutex_lock(&mutex);
    done = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void *late_wake(void *unused) {
    usleep(50 * 1000);
    wake();
    return unused;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    int two = strcmp(what, "two-one-woken") == 0, c11 = strcmp(what, "c11") == 0;
    pthread_t threads[3];
    alarm(60);
    start(&threads[0], 1);
    if (two) {
        start(&threads[1], 2);
        pthread_cond_signal(&changed);
    }
    if (two || c11 || strcmp(what, "one") == 0)
        pthread_create(&threads[2], NULL, late_wake, NULL);
    else
        wake();
    if (strcmp(what, "gone") == 0 || strcmp(what, "used-again") == 0)
        pthread_join(threads[0], NULL);
    if (c11)
        cnd_destroy((cnd_t *)&changed); /* DESTROYS c11 */
    else
        pthread_cond_destroy(&changed); /* DESTROYS it */
    if (strcmp(what, "used-again") == 0) {
        pthread_cond_init(&changed, NULL);
        pthread_cond_destroy(&changed);
    } else if (strcmp(what, "gone") != 0) {
        pthread_join(threads[0], NULL);
    }
    if (two)
        pthread_join(threads[1], NULL);
    if (two || c11 || strcmp(what, "one") == 0)
        pthread_join(threads[2], NULL);
    return 0;
}
