/* A ring over both kinds: mutex -> semaphore -> mutex, three threads.
 *
 * expect: order-cycle feasible error
 * edges: 3
 * edge: HELD first -> WANTED slot
 * edge: HELD slot -> WANTED second
 * edge: HELD second -> WANTED first
 */
#include <pthread.h>
#include <semaphore.h>

#include "turns.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static sem_t slot;

static void *mutex_then_slot(void *unused) {
    pthread_mutex_lock(&first); /* HELD first */
    sem_wait(&slot);            /* WANTED slot */
    sem_post(&slot);
    pthread_mutex_unlock(&first);
    next_turn();
    await_turn(3);
    return unused;
}

static void *slot_then_mutex(void *unused) {
    await_turn(1);
    sem_wait(&slot);             /* HELD slot */
    pthread_mutex_lock(&second); /* WANTED second */
    pthread_mutex_unlock(&second);
    sem_post(&slot);
    next_turn();
    await_turn(3);
    return unused;
}

static void *mutexes(void *unused) {
    await_turn(2);
    pthread_mutex_lock(&second); /* HELD second */
    pthread_mutex_lock(&first);  /* WANTED first */
    pthread_mutex_unlock(&first);
    pthread_mutex_unlock(&second);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[3];
    sem_init(&slot, 0, 1);
    pthread_create(&threads[0], NULL, mutex_then_slot, NULL);
    pthread_create(&threads[1], NULL, slot_then_mutex, NULL);
    pthread_create(&threads[2], NULL, mutexes, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
