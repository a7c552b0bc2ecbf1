/* Both directions, always under one gate.
 *
 * silent
 * near: order-cycle
 * note: order-cycle gated
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void take(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(&gate);
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
    pthread_mutex_unlock(&gate);
    next_turn();
}

static void *first(void *unused) {
    take(&a, &b);
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    take(&b, &a);
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
