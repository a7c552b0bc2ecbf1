/* Never ends by itself (but for an alarm).  Two threads make new edges without
 * end, two more one inversion after the other, each of locks and lines of its
 * own.  Killed at random moments by the end-to-end tests.
 *
 * helper
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

enum { LOCKS = 256 };
static pthread_mutex_t *locks;

/* Any two locks, always upwards: edges without end, no inversion. */
static void *work(void *argument) {
    unsigned seed = (unsigned)(long)argument;
    for (;;) {
        unsigned first = (unsigned)rand_r(&seed) % LOCKS, second = (unsigned)rand_r(&seed) % LOCKS;
        if (first == second)
            continue;
        if (first > second) {
            unsigned swap = first;
            first = second;
            second = swap;
        }
        pthread_mutex_lock(&locks[first]);
        pthread_mutex_lock(&locks[second]);
        pthread_mutex_unlock(&locks[second]);
        pthread_mutex_unlock(&locks[first]);
    }
    return NULL;
}

/* One problem: both orders of two static locks, in a function of its own. */
#define PROBLEM(name)                                                                                        \
    static pthread_mutex_t name##_a = PTHREAD_MUTEX_INITIALIZER, name##_b = PTHREAD_MUTEX_INITIALIZER;       \
    static void name(int side) { nest(side ? &name##_a : &name##_b, side ? &name##_b : &name##_a); }

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

PROBLEM(north)
PROBLEM(east)
PROBLEM(south)
PROBLEM(west)
PROBLEM(spring)
PROBLEM(summer)
PROBLEM(autumn)
PROBLEM(winter)

static void (*const problems[])(int) = {north, east, south, west, spring, summer, autumn, winter};
enum { PROBLEMS = sizeof problems / sizeof *problems };

static void *inverter(void *argument) {
    int side = (int)(long)argument;
    for (int step = 0;; step++) {
        await_turn(2 * step + side);
        problems[step % PROBLEMS](side);
        next_turn();
    }
    return NULL;
}

int main(int argc, char **argv) {
    long seed = argc > 1 ? atol(argv[1]) : 1;
    pthread_t thread;
    alarm(60);
    locks = calloc(LOCKS, sizeof *locks);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (long i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, work, (void *)(seed + i));
        pthread_create(&thread, NULL, inverter, (void *)i);
    }
    for (;;)
        pause();
}
