/* What was only tried is held like anything else.
 *
 * arguments: write | read
 * expect: order-cycle feasible error
 * edge: TRIED outer -> WANTED inner
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER, b = PTHREAD_RWLOCK_INITIALIZER;
static int reads;

static void nest(pthread_rwlock_t *outer, pthread_rwlock_t *inner) {
    if ((reads ? pthread_rwlock_tryrdlock(outer) : pthread_rwlock_trywrlock(outer)) != 0) /* TRIED outer */
        return;
    pthread_rwlock_wrlock(inner); /* WANTED inner */
    pthread_rwlock_unlock(inner);
    pthread_rwlock_unlock(outer);
}

static void *first(void *unused) {
    nest(&a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    nest(&b, &a);
    next_turn();
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[2];
    reads = argc > 1 && strcmp(argv[1], "read") == 0;
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
