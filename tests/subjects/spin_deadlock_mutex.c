/* One spins for a lock whose holder sleeps for a mutex that the first one has.
 *
 * deadlock
 * expect: deadlock actual error
 * thread: HELD mutex, WANTS spinlock
 * thread: HELD spinlock, WANTS mutex
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;

static void *first(void *unused) {
    pthread_mutex_lock(&mutex); /* HELD mutex */
    next_turn();
    await_turn(2);
    pthread_spin_lock(&spin); /* WANTS spinlock */
    return unused;
}

static void *second(void *unused) {
    pthread_spin_lock(&spin); /* HELD spinlock */
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&mutex); /* WANTS mutex */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[2];
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
