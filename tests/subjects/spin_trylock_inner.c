/* One direction asks with trylock: it cannot spin for ever.
 *
 * silent
 * near: order-cycle
 */
#include <pthread.h>

#include "turns.h"

static pthread_spinlock_t a, b;

static void *first(void *unused) {
    pthread_spin_lock(&a);
    pthread_spin_lock(&b);
    pthread_spin_unlock(&b);
    pthread_spin_unlock(&a);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    for (int i = 0; i < 200; i++) { /* new call sites are treated otherwise than known ones */
        pthread_spin_lock(&b);
        if (pthread_spin_trylock(&a) == 0)
            pthread_spin_unlock(&a);
        pthread_spin_unlock(&b);
    }
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_init(&b, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
