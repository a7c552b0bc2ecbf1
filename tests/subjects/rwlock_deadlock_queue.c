/* Writers are preferred: a reader queues behind a writer, which waits for another
 * reader, which waits for the first one's mutex.  The writer holds nothing and is
 * the reason, not part of the ring.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * thread: READS table, WANTS mutex
 * thread: HELD mutex, QUEUES table
 * says: updater
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void *reader(void *unused) {
    pthread_rwlock_rdlock(&table); /* READS table */
    next_turn();
    await_turn(2);
    usleep(20000);
    pthread_mutex_lock(&mutex); /* WANTS mutex */
    return unused;
}

static void *writer(void *unused) {
    pthread_setname_np(pthread_self(), "updater");
    await_turn(1);
    pthread_rwlock_wrlock(&table);
    return unused;
}

static void *queuing_reader(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&mutex); /* HELD mutex */
    usleep(20000);
    next_turn();
    usleep(10000);
    pthread_rwlock_rdlock(&table); /* QUEUES table */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, writer, NULL);
    pthread_create(&threads[2], NULL, queuing_reader, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
