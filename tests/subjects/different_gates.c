/* Each direction is under a gate, but not under the same one.
 *
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t gate_one = PTHREAD_MUTEX_INITIALIZER, gate_two = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *unused) {
    pthread_mutex_lock(&gate_one);
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&gate_one);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&gate_two);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&gate_two);
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
