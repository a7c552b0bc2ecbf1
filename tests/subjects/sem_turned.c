/* Semaphores nested in both orders, but one of them was posted by somebody who
 * did not hold it: a signal, and no lock any more.
 *
 * silent
 * near: order-cycle, unlock-foreign
 */
#include <pthread.h>
#include <semaphore.h>

#include "turns.h"

static sem_t a, b;

static void nest(sem_t *outer, sem_t *inner) {
    sem_wait(outer);
    sem_wait(inner);
    sem_post(inner);
    sem_post(outer);
}

static void *first(void *unused) {
    nest(&a, &b);
    next_turn();
    await_turn(3);
    return unused;
}

static void *second(void *unused) {
    await_turn(2);
    nest(&b, &a);
    nest(&b, &a);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    sem_init(&a, 0, 1);
    sem_init(&b, 0, 1);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    await_turn(1);
    sem_post(&a);
    next_turn();
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
