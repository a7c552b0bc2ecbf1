/* Opposite orders in one phase: the barriers before and after order nothing.
 *
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t phase;

static void *first(void *unused) {
    pthread_barrier_wait(&phase);
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    next_turn();
    pthread_barrier_wait(&phase);
    return unused;
}

static void *second(void *unused) {
    pthread_barrier_wait(&phase);
    await_turn(1);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    pthread_barrier_wait(&phase);
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_barrier_init(&phase, NULL, 2);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&phase);
    return 0;
}
