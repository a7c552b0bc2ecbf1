/* Two spinlocks in both orders: one on the heap, one static.
 *
 * expect: order-cycle feasible error
 * shows: abba of spinlocks
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 * says: spinlock
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

static pthread_spinlock_t a;
static pthread_spinlock_t *b;

static void *first(void *unused) {
    pthread_spin_lock(&a); /* HELD a */
    pthread_spin_lock(b);  /* WANTED b */
    pthread_spin_unlock(b);
    pthread_spin_unlock(&a);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_spin_lock(b);  /* HELD b */
    pthread_spin_lock(&a); /* WANTED a */
    pthread_spin_unlock(&a);
    pthread_spin_unlock(b);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    b = malloc(sizeof *b);
    pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_init(b, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_spin_destroy(&a);
    pthread_spin_destroy(b);
    free((void *)b);
    return 0;
}
