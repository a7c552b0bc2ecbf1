/* A mutex around a spinlock, and elsewhere the other way round.
 *
 * expect: order-cycle feasible error
 * edge: HELD mutex -> WANTED spinlock
 * edge: HELD spinlock -> WANTED mutex
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;

static void *first(void *unused) {
    pthread_mutex_lock(&mutex); /* HELD mutex */
    pthread_spin_lock(&spin);   /* WANTED spinlock */
    pthread_spin_unlock(&spin);
    pthread_mutex_unlock(&mutex);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_spin_lock(&spin);   /* HELD spinlock */
    pthread_mutex_lock(&mutex); /* WANTED mutex */
    pthread_mutex_unlock(&mutex);
    pthread_spin_unlock(&spin);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
