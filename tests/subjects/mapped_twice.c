/* One mutex in memory that is mapped at two addresses: taken at the first, given up at
 * the second.  Then another mutex is taken; and the other thread takes both in the
 * opposite order.
 *
 * case: given-up
 *     silent
 *     near: order-cycle
 * case: given-up-shared
 *     silent
 *     near: order-cycle
 * case: given-up-robust
 *     silent
 *     near: order-cycle
 * case: given-up-awaited
 *     silent
 *     near: order-cycle
 * case: kept-shared
 *     expect: order-cycle feasible error
 *     edge: TAKES outer -> OTHER inner
 * case: kept
 *     expect: order-cycle feasible error
 *     edge: TAKES outer -> OTHER inner
 *     edge: OTHER outer -> TAKES inner
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "turns.h"

static pthread_mutex_t *here, *there, other = PTHREAD_MUTEX_INITIALIZER;
static const char *what = "given-up";
static int given_up;
static atomic_int waited;

static int has(const char *word) { return strstr(what, word) != NULL; }

static void *map(int file) {
    void *got = mmap(NULL, sizeof *here, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (got == MAP_FAILED)
        abort();
    return got;
}

static void initialise(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (has("-shared"))
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (has("-robust"))
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(here, &attributes);
}

static void *wait_in_vain(void *unused) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec++;
    pthread_mutex_timedlock(there, &at);
    waited = 1;
    return unused;
}

static void *first(void *unused) {
    pthread_t waiter;
    pthread_mutex_lock(here); /* TAKES outer */
    if (has("-awaited")) {
        pthread_create(&waiter, NULL, wait_in_vain, NULL);
        pthread_detach(waiter);
        while (!waited)
            usleep(1000);
    }
    if (given_up)
        pthread_mutex_unlock(there);
    pthread_mutex_lock(&other); /* OTHER inner */
    pthread_mutex_unlock(&other);
    if (!given_up)
        pthread_mutex_unlock(there);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&other); /* OTHER outer */
    pthread_mutex_lock(here);   /* TAKES inner */
    pthread_mutex_unlock(there);
    pthread_mutex_unlock(&other);
    next_turn();
    return unused;
}

int main(int count, char **arguments) {
    pthread_t threads[2];
    what = count > 1 ? arguments[1] : what;
    given_up = has("given-up");
    alarm(60);
    int file = memfd_create("place", 0);
    if (file < 0 || ftruncate(file, sizeof *here) != 0)
        abort();
    here = map(file);
    there = map(file);
    initialise();
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
