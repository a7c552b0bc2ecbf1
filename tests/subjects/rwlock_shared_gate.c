/* Both orders under a rwlock that both only read: it keeps nobody out.
 *
 * arguments: default | nonrecursive
 * expect: order-cycle feasible error
 * edge: HELD outer -> WANTED inner
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t strict_gate = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_rwlock_t *used = &gate;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_rwlock_rdlock(used);
    pthread_mutex_lock(outer); /* HELD outer */
    pthread_mutex_lock(inner); /* WANTED inner */
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
    pthread_rwlock_unlock(used);
    next_turn();
}

static void *first(void *unused) {
    nest(&a, &b);
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(&b, &a);
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    if (argc > 1 && strcmp(argv[1], "nonrecursive") == 0)
        used = &strict_gate;
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
