/* A real deadlock of two threads, which the main thread waits for; or it has gone, and then the
 * kernel shows no memory of it any more.
 *
 * deadlock
 * expect: deadlock actual error
 * thread: HELD cash, WANTS vault
 * thread: HELD vault, WANTS cash
 * says: teller, auditor, cash, vault, deadlock_abba.c
 *
 * case: main-waits
 * case: main-left
 */
#include <pthread.h>
#include <string.h>

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

int main(int argc, char **argv) {
    alarm(60);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, first, NULL);
    pthread_create(&threads[1], NULL, second, NULL);
    if (argc > 1 && strcmp(argv[1], "main-left") == 0)
        pthread_exit(NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
