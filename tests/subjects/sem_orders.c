/* Two mutexes in opposite orders, the second nesting only after a post that the
 * first one's thread made; with a semaphore that all use as a lock nothing is
 * ordered.
 *
 * arguments: signal | lock
 *
 * case: signal
 * silent
 * note: order-cycle ordered semaphore
 *
 * case: lock
 * expect: order-cycle feasible error
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;
static int as_lock;

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void *first(void *unused) {
    nest(&a, &b);
    if (as_lock)
        sem_wait(&semaphore);
    sem_post(&semaphore);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    if (as_lock)
        await_turn(1);
    sem_wait(&semaphore);
    if (as_lock)
        sem_post(&semaphore);
    nest(&b, &a);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    as_lock = argc > 1 && strcmp(argv[1], "lock") == 0;
    sem_init(&semaphore, 0, as_lock ? 1 : 0);
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
