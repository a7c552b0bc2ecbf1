/* One order is kept while everything is set up; the other one by a thread that
 * never asks whether that is over.  A later control, which is not about this,
 * orders nothing of it either.
 *
 * expect: order-cycle feasible error
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t set_up = PTHREAD_ONCE_INIT, elsewhere = PTHREAD_ONCE_INIT;

static void routine(void) {
    pthread_mutex_lock(&a); /* HELD a */
    pthread_mutex_lock(&b); /* WANTED b */
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
}

static void nothing(void) {}

static void *first(void *unused) {
    pthread_once(&set_up, routine);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_once(&elsewhere, nothing);
    pthread_once(&elsewhere, nothing);
    pthread_mutex_lock(&b); /* HELD b */
    pthread_mutex_lock(&a); /* WANTED a */
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
