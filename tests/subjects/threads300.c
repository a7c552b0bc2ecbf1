/* Three hundred live threads; all but one take the two locks in order.
 *
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>

#include "turns.h"

enum { COUNT = 300 };
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t own[COUNT];

static void *ordinary(void *argument) {
    pthread_mutex_t *mine = argument;
    pthread_mutex_lock(mine);
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(mine);
    next_turn();
    await_turn(COUNT);
    return NULL;
}

static void *inverted(void *unused) {
    await_turn(COUNT - 1);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    next_turn();
    return unused;
}

int main(void) {
    pthread_t threads[COUNT];
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    for (int i = 0; i < COUNT; i++) {
        pthread_mutex_init(&own[i], NULL);
        pthread_create(&threads[i], &small, i == 0 ? inverted : ordinary, &own[i]);
    }
    for (int i = 0; i < COUNT; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
