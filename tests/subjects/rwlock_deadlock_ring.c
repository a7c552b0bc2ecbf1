/* Mutex, rwlock, mutex: three threads in a ring, through a reader.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 3
 * thread: HELD first, WRITES table
 * thread: READS table, WANTS second
 * thread: HELD second, WANTS first
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static void *one(void *unused) {
    pthread_mutex_lock(&first); /* HELD first */
    next_turn();
    await_turn(3);
    pthread_rwlock_wrlock(&table); /* WRITES table */
    return unused;
}

static void *two(void *unused) {
    pthread_rwlock_rdlock(&table); /* READS table */
    next_turn();
    await_turn(3);
    pthread_mutex_lock(&second); /* WANTS second */
    return unused;
}

static void *three(void *unused) {
    pthread_mutex_lock(&second); /* HELD second */
    next_turn();
    await_turn(3);
    pthread_mutex_lock(&first); /* WANTS first */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, one, NULL);
    pthread_create(&threads[1], NULL, two, NULL);
    pthread_create(&threads[2], NULL, three, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
