/* Two live threads take two static mutexes in opposite order, one after the
 * other in time but with nothing that orders them.
 *
 * expect: order-cycle feasible error
 * shows: abba of mutexes
 * edge: HELD a -> WANTED b
 * edge: HELD b -> WANTED a
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t account_a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t account_b = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *unused) {
    pthread_mutex_lock(&account_a); /* HELD a */
    pthread_mutex_lock(&account_b); /* WANTED b */
    pthread_mutex_unlock(&account_b);
    pthread_mutex_unlock(&account_a);
    next_turn();
    await_turn(2);
    return unused;
}

static void *second(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&account_b); /* HELD b */
    pthread_mutex_lock(&account_a); /* WANTED a */
    pthread_mutex_unlock(&account_a);
    pthread_mutex_unlock(&account_b);
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
