/* Waits for a condition with a mutex that the caller does not hold.
 *
 * case: never
 * expect: cond-wait-unheld none error
 * call: WAITS never
 * lock: queue
 *
 * case: released
 * expect: cond-wait-unheld none error
 * call: WAITS released
 * lock: queue
 *
 * case: foreign
 * expect: cond-wait-unheld none error
 * call: WAITS foreign
 * earlier thread: owner
 * lock: queue
 *
 * case: c11
 * expect: cond-wait-unheld none error
 * call: WAITS c11
 * lock: tray
 *
 * case: held
 * silent
 * near: cond-wait-unheld
 *
 * case: recursive
 * silent
 * near: cond-wait-unheld
 *
 * case: tried
 * silent
 * near: cond-wait-unheld
 */
#include <pthread.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t queue = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP; /* so that the wait fails, not more */
static pthread_mutex_t again = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static mtx_t tray;
static cnd_t filled;

static struct timespec soon(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += at.tv_nsec > 950000000;
    at.tv_nsec = at.tv_nsec > 950000000 ? 0 : at.tv_nsec + 20 * 1000 * 1000;
    return at;
}

static void wait_never(void) {
    next_turn();
    pthread_cond_wait(&changed, &queue); /* WAITS never */
}

static void wait_released(void) {
    pthread_mutex_lock(&queue);
    pthread_mutex_unlock(&queue);
    struct timespec at = soon();
    pthread_cond_timedwait(&changed, &queue, &at); /* WAITS released */
}

static void *owner(void *unused) {
    pthread_setname_np(pthread_self(), "owner");
    pthread_mutex_lock(&queue);
    next_turn();
    await_turn(2);
    pthread_mutex_unlock(&queue);
    return unused;
}

static void wait_foreign(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, owner, NULL);
    await_turn(1);
    pthread_cond_wait(&changed, &queue); /* WAITS foreign */
    next_turn();
    pthread_join(thread, NULL);
}

static void wait_c11(void) {
    mtx_init(&tray, mtx_plain);
    cnd_init(&filled);
    struct timespec past = {1, 0};
    cnd_timedwait(&filled, &tray, &past); /* WAITS c11 */
    cnd_destroy(&filled);
}

static void wait_held(pthread_mutex_t *mutex) {
    struct timespec at = soon();
    pthread_cond_timedwait(&changed, mutex, &at);
    pthread_mutex_unlock(mutex);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    alarm(60);
    if (strcmp(what, "never") == 0)
        wait_never();
    else if (strcmp(what, "released") == 0)
        wait_released();
    else if (strcmp(what, "foreign") == 0)
        wait_foreign();
    else if (strcmp(what, "c11") == 0)
        wait_c11();
    else if (strcmp(what, "held") == 0 && pthread_mutex_lock(&plain) == 0)
        wait_held(&plain);
    else if (strcmp(what, "recursive") == 0 && pthread_mutex_lock(&again) == 0)
        wait_held(&again);
    else if (strcmp(what, "tried") == 0 && pthread_mutex_trylock(&queue) == 0)
        wait_held(&queue);
    return 0;
}
