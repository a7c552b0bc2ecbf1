/* One mutex in memory that is mapped at two addresses: taken at the first, given up at
 * the second.  Then another mutex is taken; and the other thread takes both in the
 * opposite order.
 *
 * case: given-up
 *     silent
 *     near: order-cycle
 * case: kept
 *     expect: order-cycle feasible error
 *     edge: TAKES outer -> OTHER inner
 *     edge: OTHER outer -> TAKES inner
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "turns.h"

static pthread_mutex_t *here, *there, other = PTHREAD_MUTEX_INITIALIZER;
static int given_up;

static void *map(int file) {
    void *got = mmap(NULL, sizeof *here, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (got == MAP_FAILED)
        abort();
    return got;
}

static void *first(void *unused) {
    pthread_mutex_lock(here); /* TAKES outer */
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
    given_up = count < 2 || strcmp(arguments[1], "given-up") == 0;
    alarm(60);
    int file = memfd_create("place", 0);
    if (file < 0 || ftruncate(file, sizeof *here) != 0)
        abort();
    here = map(file);
    there = map(file);
    pthread_mutex_init(here, NULL);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
