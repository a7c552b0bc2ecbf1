/* The inner lock is only tried: nobody waits for it.
 *
 * arguments: write | read
 * silent
 */
#include <pthread.h>
#include <string.h>

#include "turns.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER, b = PTHREAD_RWLOCK_INITIALIZER;
static int reads;

static void nest(pthread_rwlock_t *outer, pthread_rwlock_t *inner) {
    pthread_rwlock_wrlock(outer);
    if ((reads ? pthread_rwlock_tryrdlock(inner) : pthread_rwlock_trywrlock(inner)) == 0)
        pthread_rwlock_unlock(inner);
    pthread_rwlock_unlock(outer);
}

static void *first(void *unused) {
    for (int i = 0; i < 100; i++)
        nest(&a, &b);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    for (int i = 0; i < 100; i++)
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
