/* An inversion whose two halves lie before and after half a million nested
 * locks that came and went: a small memory budget must drop those, not it.
 *
 * options: -O max_memory=8m
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "turns.h"

enum { BATCH = 5000, BATCHES = 100, LARGEST_PEAK_KIB = 128 * 1024 };
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t root = PTHREAD_MUTEX_INITIALIZER;

/* A chain of three under the root each time, so that every one has evidence. */
static void batch(void) {
    pthread_mutex_t *mutexes = calloc(BATCH, sizeof *mutexes);
    pthread_mutex_lock(&root);
    for (int i = 0; i + 1 < BATCH; i += 2) {
        pthread_mutex_lock(&mutexes[i]);
        pthread_mutex_lock(&mutexes[i + 1]);
        pthread_mutex_unlock(&mutexes[i + 1]);
        pthread_mutex_unlock(&mutexes[i]);
    }
    pthread_mutex_unlock(&root);
    free(mutexes);
}

static void *first(void *unused) {
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    for (int i = 0; i < BATCHES; i++)
        batch();
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss > LARGEST_PEAK_KIB ? 3 : 0;
}
