/* Long waits that no holder causes, and waits for a lock that end in time: with a
 * lock_timeout they exceed, or would, nothing is said.
 *
 * case: condition
 *     silent
 *     options: -O lock_timeout=100ms
 * case: condition-holding
 *     silent
 *     options: -O lock_timeout=100ms
 * case: signal
 *     silent
 *     options: -O lock_timeout=100ms
 * case: empty-places
 *     silent
 *     options: -O lock_timeout=100ms
 * case: idle-worker
 *     silent
 *     options: -O lock_timeout=100ms
 * case: barrier
 *     silent
 *     options: -O lock_timeout=100ms
 * case: join
 *     silent
 *     options: -O lock_timeout=100ms
 * case: timedlock
 *     silent
 *     options: -O lock_timeout=300ms
 * case: below
 *     silent
 *     options: -O lock_timeout=2s
 * case: held-long
 *     silent
 *     options: -O lock_timeout=none
 * case: held-long
 *     silent
 *     options: -O lock_timeout=100ms:check.wait-timeout=off
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "turns.h"

enum { LONG_MS = 700, SHORT_MS = 50 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t events, places, work;
static int ready;

static void must(int good) {
    if (!good)
        abort();
}

static void pause_ms(long ms) { usleep((useconds_t)ms * 1000); }

static void wait_until_ready(void) {
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&condition, &lock);
    pthread_mutex_unlock(&lock);
}
static void make_ready(void) {
    pause_ms(LONG_MS);
    pthread_mutex_lock(&lock);
    ready = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&lock);
}

static void condition_holding_waits(void) {
    pthread_mutex_lock(&outer);
    wait_until_ready();
    pthread_mutex_unlock(&outer);
}

static void signal_waits(void) { must(sem_wait(&events) == 0); }
static void signal_comes(void) {
    pause_ms(LONG_MS);
    sem_post(&events);
}

/* A buffer that is full before anything was taken from it: its semaphore begins
 * with as many as there are places, like one that counts holders. */
static void producer(void) {
    for (int i = 0; i < 3; i++)
        must(sem_wait(&places) == 0);
}
static void consumer(void) {
    pause_ms(LONG_MS);
    sem_post(&places);
}

/* Some work is there at the start: who got it does not keep the other from more. */
static void *more_work(void *unused) {
    pause_ms(LONG_MS);
    sem_post(&work);
    return unused;
}
static void idle_worker(void) {
    pthread_t thread;
    await_turn(1);
    pthread_create(&thread, NULL, more_work, NULL);
    must(sem_wait(&work) == 0);
    pthread_join(thread, NULL);
}
static void busy_worker(void) {
    must(sem_wait(&work) == 0);
    next_turn();
    pause_ms(2 * LONG_MS);
}

static void barrier_waits(void) { pthread_barrier_wait(&barrier); }
static void barrier_full(void) {
    pause_ms(LONG_MS);
    pthread_barrier_wait(&barrier);
}

static void nothing(void) {}
static void lasts(void) { pause_ms(LONG_MS); }

static void holds_long(void) {
    pthread_mutex_lock(&lock);
    next_turn();
    pause_ms(LONG_MS);
    pthread_mutex_unlock(&lock);
}
static void gives_up(void) {
    struct timespec at;
    await_turn(1);
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += SHORT_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    must(pthread_mutex_timedlock(&lock, &at) == ETIMEDOUT);
}
static void waits(void) {
    await_turn(1);
    must(pthread_mutex_lock(&lock) == 0);
    pthread_mutex_unlock(&lock);
}

static const struct {
    const char *name;
    void (*one)(void), (*other)(void);
} kinds[] = {
    {"condition", wait_until_ready, make_ready},
    {"condition-holding", condition_holding_waits, make_ready},
    {"signal", signal_waits, signal_comes},
    {"empty-places", producer, consumer},
    {"idle-worker", idle_worker, busy_worker},
    {"barrier", barrier_waits, barrier_full},
    {"join", nothing, lasts},
    {"timedlock", gives_up, holds_long},
    {"below", waits, holds_long},
    {"held-long", waits, holds_long},
};
static size_t kind;

static void *other(void *unused) {
    kinds[kind].other();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    sem_init(&events, 0, 0);
    sem_init(&places, 0, 2);
    sem_init(&work, 0, 1);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, argc > 1 ? argv[1] : "") == 0)
            kind = i;
    pthread_create(&thread, NULL, other, NULL);
    kinds[kind].one();
    pthread_join(thread, NULL);
    return 0;
}
