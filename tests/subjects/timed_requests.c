/* The program itself limits both inner requests: it would stall and go on.
 *
 * arguments: timedlock | clocklock
 * expect: order-cycle timed warning
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static bool by_clock;

static int ask(pthread_mutex_t *mutex) {
    struct timespec at;
    clock_gettime(by_clock ? CLOCK_MONOTONIC : CLOCK_REALTIME, &at);
    at.tv_sec += 5;
    return by_clock ? pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &at)
                    : pthread_mutex_timedlock(mutex, &at);
}

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    if (ask(inner) == 0)
        pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *first(void *unused) {
    nest(&a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(&b, &a);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    by_clock = argc > 1 && strcmp(argv[1], "clocklock") == 0;
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
