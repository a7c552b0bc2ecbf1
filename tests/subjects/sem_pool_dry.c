/* A pool of three.  Four threads that take two each run it dry, and wait for
 * each other, at its very first use.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 3
 * thread: FIRST slot, ANOTHER one
 * says: pool has 3 slots, held by threads that wait themselves, give the slot of pool back before asking
 */
#include <pthread.h>
#include <semaphore.h>

#include "turns.h"

enum { SLOTS = 3, THREADS = 4 };
static sem_t pool;

/* All who can get their first slot have it before anybody asks for the second. */
static void *take_two(void *unused) {
    sem_wait(&pool); /* FIRST slot */
    next_turn();
    await_turn(SLOTS);
    sem_wait(&pool); /* ANOTHER one */
    sem_post(&pool);
    sem_post(&pool);
    return unused;
}

/* One after the other, so that it is always the last one who goes without. */
static void run(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        await_turn(i);
        pthread_create(&threads[i], NULL, take_two, NULL);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void) {
    alarm(60);
    sem_init(&pool, 0, SLOTS);
    run();
    return 0;
}
