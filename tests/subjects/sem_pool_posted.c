/* A pool of three that was used as a pool for a while before four threads that take two each
 * run it dry; the main thread sleeps.
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

int main(void) {
    pthread_t threads[4];
    alarm(60);
    sem_init(&pool, 0, 3);
    for (int i = 0; i < 20; i++) {
        sem_wait(&pool);
        sem_post(&pool);
    }
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, take_two, NULL);
    sleep(50);
    return 0;
}
