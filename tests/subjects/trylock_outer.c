/* The held locks came from trylock, the requests block: a deadlock all the same.
 *
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void must(int result) {
    if (result != 0)
        abort();
}

static void *first(void *unused) {
    must(pthread_mutex_trylock(&a)); /* HELD a */
    pthread_mutex_lock(&b);          /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    must(pthread_mutex_trylock(&b)); /* HELD b */
    pthread_mutex_lock(&a);          /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
