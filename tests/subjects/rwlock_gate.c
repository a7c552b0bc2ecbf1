/* Both orders under a rwlock that at least one of them writes: it is a gate.
 *
 * arguments: written | written_once
 * silent
 * near: order-cycle
 * note: order-cycle gated
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int second_reads;

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
    pthread_rwlock_unlock(&gate);
    next_turn();
}

static void *first(void *unused) {
    pthread_rwlock_wrlock(&gate);
    nest(&a, &b);
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    if (second_reads)
        pthread_rwlock_rdlock(&gate);
    else
        pthread_rwlock_wrlock(&gate);
    nest(&b, &a);
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    second_reads = argc > 1 && strcmp(argv[1], "written_once") == 0;
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
