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

static sem_t pool;

/* All who can get their first slot have it before anybody asks for the second. */
static void *take_two(void *unused) {
    sem_wait(&pool); /* FIRST slot */
    next_turn();
    await_turn(3);
    sem_wait(&pool); /* ANOTHER one */
    sem_post(&pool);
    sem_post(&pool);
    return unused;
}

static void run(void *(*routine)(void *), int count) {
    pthread_t threads[4];
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, routine, NULL);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

int main(void) {
    alarm(60);
    sem_init(&pool, 0, 3);
    run(take_two, 4);
    return 0;
}
