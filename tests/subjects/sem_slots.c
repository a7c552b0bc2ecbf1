/* A mutex and a semaphore of two slots in opposite orders.  With the mutex taken
 * under the slot by two threads both slots can be taken while a third one holds
 * the mutex; one such thread leaves a slot.
 *
 * arguments: two | one
 *
 * case: two
 * expect: order-cycle feasible error
 * edge: HELD mutex -> WANTED slot
 * edge: HELD slot -> WANTED mutex
 *
 * case: one
 * silent
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t slots;

static void *slot_then_mutex(void *number) {
    await_turn(*(int *)number);
    sem_wait(&slots);           /* HELD slot */
    pthread_mutex_lock(&mutex); /* WANTED mutex */
    pthread_mutex_unlock(&mutex);
    sem_post(&slots);
    next_turn();
    await_turn(3);
    return NULL;
}

static void *mutex_then_slot(void *unused) {
    pthread_mutex_lock(&mutex); /* HELD mutex */
    sem_wait(&slots);           /* WANTED slot */
    sem_post(&slots);
    pthread_mutex_unlock(&mutex);
    next_turn();
    await_turn(3);
    return unused;
}

int main(int argc, char **argv) {
    int one = argc > 1 && strcmp(argv[1], "one") == 0, numbers[] = {1, 2};
    pthread_t threads[3];
    sem_init(&slots, 0, 2);
    pthread_create(&threads[0], NULL, mutex_then_slot, NULL);
    pthread_create(&threads[1], NULL, slot_then_mutex, &numbers[0]);
    if (one)
        next_turn();
    else
        pthread_create(&threads[2], NULL, slot_then_mutex, &numbers[1]);
    for (int i = 0; i < 3 - one; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
