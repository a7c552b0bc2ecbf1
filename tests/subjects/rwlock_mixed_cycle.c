/* A ring of a mutex and two rwlocks, closed by a reader.
 *
 * expect: order-cycle feasible error
 * edges: 3
 * threads: 3
 * edge: HELD mutex -> WRITES table
 * edge: READS table -> WRITES index
 * edge: HELD index -> WANTS mutex
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t index_lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void *first(void *unused) {
    pthread_mutex_lock(&mutex);    /* HELD mutex */
    pthread_rwlock_wrlock(&table); /* WRITES table */
    pthread_rwlock_unlock(&table);
    pthread_mutex_unlock(&mutex);
    next_turn();
    await_turn(3);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_rwlock_rdlock(&table);      /* READS table */
    pthread_rwlock_wrlock(&index_lock); /* WRITES index */
    pthread_rwlock_unlock(&index_lock);
    pthread_rwlock_unlock(&table);
    next_turn();
    await_turn(3);
    return unused;
}

static void *third(void *unused) {
    await_turn(2);
    pthread_rwlock_rdlock(&index_lock); /* HELD index */
    pthread_mutex_lock(&mutex);         /* WANTS mutex */
    pthread_mutex_unlock(&mutex);
    pthread_rwlock_unlock(&index_lock);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    pthread_create(&threads[2], NULL, third, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
