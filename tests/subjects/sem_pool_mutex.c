/* A pool of two whose holders both want the mutex of one who waits for a slot.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * thread: HELD mutex, WANTS slot
 * thread: HELD slot, WANTS mutex
 * says: pool has 2 slots
 * says: held by threads that wait themselves
 * says: and 1 by others
 * says: release ledger before waiting for a slot of pool
 */
#include <pthread.h>
#include <semaphore.h>

#include "turns.h"

static sem_t pool;
static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;

static void *slot_first(void *unused) {
    sem_wait(&pool); /* HELD slot */
    next_turn();
    await_turn(3);
    pthread_mutex_lock(&ledger); /* WANTS mutex */
    pthread_mutex_unlock(&ledger);
    sem_post(&pool);
    return unused;
}

static void *mutex_first(void *unused) {
    pthread_mutex_lock(&ledger); /* HELD mutex */
    next_turn();
    await_turn(3);
    sem_wait(&pool); /* WANTS slot */
    sem_post(&pool);
    pthread_mutex_unlock(&ledger);
    return unused;
}

int main(void) {
    pthread_t threads[3];
    alarm(60);
    sem_init(&pool, 0, 2);
    for (int i = 0; i < 20; i++) { /* a lock, as everybody can see */
        sem_wait(&pool);
        sem_post(&pool);
    }
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, i == 0 ? mutex_first : slot_first, NULL);
    sleep(50);
    return 0;
}
