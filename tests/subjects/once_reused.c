/* A control used again for something else, as one in an object on the heap: the
 * second run's past reaches a thread that was done with the first.
 *
 * silent
 * note: order-cycle ordered once
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t control = PTHREAD_ONCE_INIT;

static void nothing(void) {}

static void routine(void) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
}

static void *first(void *unused) {
    pthread_once(&control, nothing);
    next_turn();
    await_turn(2);
    control = (pthread_once_t)PTHREAD_ONCE_INIT;
    pthread_once(&control, routine);
    next_turn();
    await_turn(4);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_once(&control, nothing);
    next_turn();
    await_turn(3);
    pthread_once(&control, nothing);
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
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
