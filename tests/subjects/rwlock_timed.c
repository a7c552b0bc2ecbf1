/* The program itself limits both inner requests: it would stall and go on.
 *
 * arguments: timedwrlock | timedrdlock | clockwrlock | clockrdlock
 * expect: order-cycle timed warning
 */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "turns.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER, b = PTHREAD_RWLOCK_INITIALIZER;
static bool by_clock, reads;

static int ask(pthread_rwlock_t *lock) {
    struct timespec at;
    clock_gettime(by_clock ? CLOCK_MONOTONIC : CLOCK_REALTIME, &at);
    at.tv_sec += 5;
    if (by_clock)
        return reads ? pthread_rwlock_clockrdlock(lock, CLOCK_MONOTONIC, &at)
                     : pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &at);
    return reads ? pthread_rwlock_timedrdlock(lock, &at) : pthread_rwlock_timedwrlock(lock, &at);
}

static void nest(pthread_rwlock_t *outer, pthread_rwlock_t *inner) {
    pthread_rwlock_wrlock(outer);
    if (ask(inner) == 0)
        pthread_rwlock_unlock(inner);
    pthread_rwlock_unlock(outer);
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
    const char *how = argc > 1 ? argv[1] : "timedwrlock";
    by_clock = strncmp(how, "clock", 5) == 0;
    reads = strstr(how, "rdlock") != NULL;
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
