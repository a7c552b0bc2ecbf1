/* A pool of three.  Four threads that take two each run it dry, and wait for
 * each other: at its first use, and after it was used as a pool.
 *
 * deadlock
 * arguments: first | posted
 * expect: deadlock actual error
 * threads: 3
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "turns.h"

static sem_t pool;

/* All who can get their first slot have it before anybody asks for the second. */
static void *take_two(void *unused) {
    sem_wait(&pool);
    next_turn();
    await_turn(3);
    sem_wait(&pool);
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

int main(int argc, char **argv) {
    alarm(60);
    sem_init(&pool, 0, 3);
    if (argc > 1 && strcmp(argv[1], "posted") == 0) {
        sem_wait(&pool);
        sem_post(&pool);
    }
    run(take_two, 4);
    return 0;
}
