/* Threads cancelled at any moment while they lock, wait and give up what they
 * hold in clean-up handlers: nothing hangs, nothing stays locked, nothing is
 * reported.
 *
 * silent
 * seconds: 20
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "turns.h"

enum { THREADS = 4, SECONDS = 3 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void unlock(void *mutex) { pthread_mutex_unlock(mutex); }

static void wait_inside(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec = at.tv_nsec > 999000000 ? 999999999 : at.tv_nsec + 1000000;
    pthread_mutex_lock(&inner);
    pthread_cleanup_push(unlock, &inner);
    pthread_cond_timedwait(&changed, &inner, &at);
    pthread_testcancel();
    pthread_cleanup_pop(1);
}

static void *work(void *argument) {
    for (;;) {
        pthread_mutex_lock(&outer);
        pthread_cleanup_push(unlock, &outer);
        pthread_mutex_lock(&inner);
        pthread_cleanup_push(unlock, &inner);
        pthread_cond_broadcast(&changed);
        pthread_testcancel();
        pthread_cleanup_pop(1);
        pthread_cleanup_pop(1);
        wait_inside();
        usleep(10);
    }
    return argument;
}

/* Both free: somebody who ended holding one would make this wait for ever. */
static int all_free(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += 10;
    if (pthread_mutex_timedlock(&outer, &at) != 0 || pthread_mutex_timedlock(&inner, &at) != 0)
        return 0;
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return 1;
}

int main(void) {
    pthread_t threads[THREADS];
    unsigned seed = 1;
    alarm(60);
    for (time_t end = time(NULL) + SECONDS; time(NULL) < end;) {
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, work, NULL);
        for (int i = 0; i < THREADS; i++) {
            usleep((unsigned)rand_r(&seed) % 500);
            pthread_cancel(threads[i]);
        }
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
    return !all_free();
}
