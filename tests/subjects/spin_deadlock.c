/* Two threads spin for each other's lock.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * thread: HELD ring, WANTS index
 * thread: HELD index, WANTS ring
 * says: producer, consumer, ring, entries, spin_deadlock.c
 */
#include <pthread.h>

#include "turns.h"

static pthread_spinlock_t ring, entries;

static void *first(void *unused) {
    pthread_setname_np(pthread_self(), "producer");
    pthread_spin_lock(&ring); /* HELD ring */
    next_turn();
    await_turn(2);
    pthread_spin_lock(&entries); /* WANTS index */
    return unused;
}

static void *second(void *unused) {
    pthread_setname_np(pthread_self(), "consumer");
    pthread_spin_lock(&entries); /* HELD index */
    next_turn();
    await_turn(2);
    pthread_spin_lock(&ring); /* WANTS ring */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[2];
    pthread_spin_init(&ring, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_init(&entries, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
