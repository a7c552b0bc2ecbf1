/* A pool of three that never runs dry: two threads that take two each wait for
 * one another's second slot, but not for ever; four that take one wait, too.
 *
 * silent
 * near: deadlock
 */
#include <pthread.h>
#include <semaphore.h>

#include "turns.h"

static sem_t pool;

/* All who can get their first slot have it before anybody asks for the second. */
static void *take_two(void *unused) {
    sem_wait(&pool);
    next_turn();
    await_turn(2);
    sem_wait(&pool);
    sem_post(&pool);
    sem_post(&pool);
    return unused;
}

static void *take_one(void *unused) {
    for (int i = 0; i < 1000; i++) {
        sem_wait(&pool);
        usleep(10);
        sem_post(&pool);
    }
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
    sem_init(&pool, 0, 3);
    run(take_one, 4);
    run(take_two, 2);
    return 0;
}
