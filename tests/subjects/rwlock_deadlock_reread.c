/* Writers are preferred: who reads again while a writer waits, waits for itself.
 *
 * deadlock
 * expect: self-deadlock actual error
 * edge: READS table -> READS again
 */
#include <pthread.h>

#include "turns.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void *reader(void *unused) {
    pthread_rwlock_rdlock(&table); /* READS table */
    next_turn();
    usleep(50000);
    pthread_rwlock_rdlock(&table); /* READS again */
    return unused;
}

static void *writer(void *unused) {
    await_turn(1);
    pthread_rwlock_wrlock(&table);
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, reader, NULL);
    pthread_create(&threads[1], NULL, writer, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
