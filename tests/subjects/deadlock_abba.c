/* A real deadlock of two threads.
 *
 * deadlock
 * expect: deadlock actual error
 * thread: HELD cash, WANTS vault
 * thread: HELD vault, WANTS cash
 * says: teller, auditor, cash, vault, deadlock_abba.c
 */
#include <pthread.h>

#include "turns.h"

static pthread_mutex_t cash = PTHREAD_MUTEX_INITIALIZER, vault = PTHREAD_MUTEX_INITIALIZER;

static void *first(void *unused) {
    pthread_setname_np(pthread_self(), "teller");
    pthread_mutex_lock(&cash); /* HELD cash */
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&vault); /* WANTS vault */
    return unused;
}

static void *second(void *unused) {
    pthread_setname_np(pthread_self(), "auditor");
    pthread_mutex_lock(&vault); /* HELD vault */
    next_turn();
    await_turn(2);
    pthread_mutex_lock(&cash); /* WANTS cash */
    return unused;
}

int main(void) {
    alarm(60);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
