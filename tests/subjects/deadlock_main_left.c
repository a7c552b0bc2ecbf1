/* The same after the main thread has gone: of it the kernel shows no memory any more.
 *
 * deadlock
 * expect: deadlock actual error
 * thread: HELD cash, WANTS vault
 * thread: HELD vault, WANTS cash
 * says: teller, auditor, cash, vault, deadlock_main_left.c
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
    pthread_t thread;
    pthread_create(&thread, NULL, first, NULL);
    pthread_create(&thread, NULL, second, NULL);
    pthread_exit(NULL);
}
