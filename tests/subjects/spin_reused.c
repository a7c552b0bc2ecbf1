/* Spinlocks that never lived together, at the same addresses: first one order,
 * then, after both were destroyed (or just initialised anew), the other.
 *
 * silent
 */
#include <pthread.h>

#include "turns.h"

static pthread_spinlock_t place[2];

static void in_order(int outer, int inner) {
    for (int i = 0; i < 100; i++) {
        pthread_spin_lock(&place[outer]);
        pthread_spin_lock(&place[inner]);
        pthread_spin_unlock(&place[inner]);
        pthread_spin_unlock(&place[outer]);
    }
}

static void *first(void *unused) {
    in_order(0, 1);
    next_turn();
    await_turn(2);
    in_order(0, 1);
    next_turn();
    await_turn(4);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    for (int i = 0; i < 2; i++) {
        pthread_spin_destroy(&place[i]);
        pthread_spin_init(&place[i], PTHREAD_PROCESS_PRIVATE);
    }
    in_order(1, 0);
    for (int i = 0; i < 2; i++)
        pthread_spin_init(&place[i], PTHREAD_PROCESS_PRIVATE);
    next_turn();
    await_turn(3);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_spin_init(&place[i], PTHREAD_PROCESS_PRIVATE);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
