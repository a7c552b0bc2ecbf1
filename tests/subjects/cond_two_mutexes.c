/* Threads that wait for one condition at a time with different mutexes.  Waiting
 * with another one is allowed once nobody is blocked any more.
 *
 * case: two
 * expect: cond-two-mutexes none error
 * call: WAITS with right
 * earlier: WAITS with left
 * earlier thread: lefty
 * lock: right
 * says: left, right
 *
 * case: timed
 * expect: cond-two-mutexes none error
 * call: WAITS timed with right
 * earlier: WAITS with left
 * earlier thread: lefty
 *
 * case: one-of-two-woken
 * expect: cond-two-mutexes none error
 * call: WAITS with right
 * earlier: WAITS with left
 *
 * case: c11
 * expect: cond-two-mutexes none error
 * call: WAITS c11 with right
 * earlier: WAITS with left
 *
 * case: one-after-the-other
 * silent
 * near: cond-two-mutexes
 *
 * case: woken
 * silent
 * near: cond-two-mutexes
 *
 * case: two-conditions
 * silent
 * near: cond-two-mutexes
 */
#include <pthread.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER, right = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER, other = PTHREAD_COND_INITIALIZER;
static int done, one_may_go;

static struct timespec soon(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += at.tv_nsec > 950000000;
    at.tv_nsec = at.tv_nsec > 950000000 ? 0 : at.tv_nsec + 20 * 1000 * 1000;
    return at;
}

static void *lefty(void *unused) {
    pthread_setname_np(pthread_self(), "lefty");
    pthread_mutex_lock(&left);
    next_turn();
    while (!done && !one_may_go)
        pthread_cond_wait(&changed, &left); /* WAITS with left */
    one_may_go = 0;
    pthread_mutex_unlock(&left);
    return unused;
}

/* Whoever has `left` after the turn knows that the waiters are waiting. */
static void start_left(pthread_t *thread, int number) {
    pthread_create(thread, NULL, lefty, NULL);
    await_turn(number);
    pthread_mutex_lock(&left);
    pthread_mutex_unlock(&left);
}

static void wake_left(void) {
    pthread_mutex_lock(&left);
    done = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&left);
}

static void *righty(void *unused) {
    pthread_mutex_lock(&right);
    next_turn();
    while (!done)
        pthread_cond_wait(&changed, &right); /* WAITS with right */
    pthread_mutex_unlock(&right);
    return unused;
}

static void timed_right(pthread_cond_t *condition) {
    struct timespec at = soon();
    pthread_mutex_lock(&right);
    pthread_cond_timedwait(condition, &right, &at); /* WAITS timed with right */
    pthread_mutex_unlock(&right);
}

static void c11_right(void) {
    struct timespec past = {1, 0};
    mtx_lock((mtx_t *)&right);
    cnd_timedwait((cnd_t *)&changed, (mtx_t *)&right, &past); /* WAITS c11 with right */
    mtx_unlock((mtx_t *)&right);
}

static void both_wait(void) {
    pthread_t threads[2];
    start_left(&threads[0], 1);
    pthread_create(&threads[1], NULL, righty, NULL);
    await_turn(2);
    pthread_mutex_lock(&right);
    pthread_mutex_unlock(&right);
    wake_left();
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

/* One signal frees one of two: the other is still blocked. */
static void one_woken(void) {
    pthread_t threads[3];
    start_left(&threads[0], 1);
    start_left(&threads[1], 2);
    pthread_mutex_lock(&left);
    one_may_go = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&left);
    pthread_create(&threads[2], NULL, righty, NULL);
    await_turn(3);
    pthread_mutex_lock(&right);
    pthread_mutex_unlock(&right);
    wake_left();
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

/* The broadcast ends the binding although the waiter cannot return yet. */
static void woken(void) {
    pthread_t thread;
    start_left(&thread, 1);
    pthread_mutex_lock(&left);
    done = 1;
    pthread_cond_broadcast(&changed);
    timed_right(&changed);
    pthread_mutex_unlock(&left);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    pthread_t thread;
    alarm(60);
    if (strcmp(what, "two") == 0) {
        both_wait();
    } else if (strcmp(what, "one-of-two-woken") == 0) {
        one_woken();
    } else if (strcmp(what, "woken") == 0) {
        woken();
    } else {
        start_left(&thread, 1);
        if (strcmp(what, "timed") == 0)
            timed_right(&changed);
        if (strcmp(what, "c11") == 0)
            c11_right();
        if (strcmp(what, "two-conditions") == 0)
            timed_right(&other);
        wake_left();
        pthread_join(thread, NULL);
        if (strcmp(what, "one-after-the-other") == 0)
            timed_right(&changed);
    }
    return 0;
}
