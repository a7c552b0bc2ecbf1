/* A writer waits for two readers, one of which waits for what the writer holds.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * thread: HELD mutex, WRITES table
 * thread: READS table, WANTS mutex
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static void *writer(void *unused) {
    pthread_mutex_lock(&mutex); /* HELD mutex */
    next_turn();
    await_turn(3);
    pthread_rwlock_wrlock(&table); /* WRITES table */
    return unused;
}

static void *reader(void *unused) {
    pthread_rwlock_rdlock(&table); /* READS table */
    next_turn();
    await_turn(3);
    pthread_mutex_lock(&mutex); /* WANTS mutex */
    return unused;
}

static void *idle_reader(void *unused) {
    pthread_rwlock_rdlock(&table);
    next_turn();
    sleep(30);
    pthread_rwlock_unlock(&table);
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, writer, NULL);
    pthread_create(&threads[1], NULL, reader, NULL);
    pthread_create(&threads[2], NULL, idle_reader, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
