/* A ring of three kinds: mutex, then rwlock, then spinlock, then the mutex again.
 *
 * expect: order-cycle feasible error
 * shows: mutex, rwlock, spinlock, mutex
 * edges: 3
 * edge: HELD mutex -> WANTED rwlock
 * edge: HELD rwlock -> WANTED spinlock
 * edge: HELD spinlock -> WANTED mutex
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

static void *first(void *unused) {
    pthread_mutex_lock(&mutex);     /* HELD mutex */
    pthread_rwlock_wrlock(&rwlock); /* WANTED rwlock */
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_unlock(&mutex);
    next_turn();
    await_turn(3);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_rwlock_rdlock(&rwlock); /* HELD rwlock */
    pthread_spin_lock(&spin);       /* WANTED spinlock */
    pthread_spin_unlock(&spin);
    pthread_rwlock_unlock(&rwlock);
    next_turn();
    await_turn(3);
    return unused;
}

static void *third(void *unused) {
    await_turn(2);
    pthread_spin_lock(&spin);   /* HELD spinlock */
    pthread_mutex_lock(&mutex); /* WANTED mutex */
    pthread_mutex_unlock(&mutex);
    pthread_spin_unlock(&spin);
    next_turn();
    return unused;
}

int main(void) {
    void *(*routines[])(void *) = {first, second, third};
    pthread_t threads[3];
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, routines[i], NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
