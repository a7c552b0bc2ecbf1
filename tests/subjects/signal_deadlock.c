/* A signal handler asks for what its own thread holds.
 *
 * deadlock
 * expect: self-deadlock actual error
 * thread: HELD, WANTS
 * says: ledger, signal_deadlock.c
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;

static void handler(int number) {
    (void)number;
    pthread_mutex_lock(&ledger); /* WANTS */
    pthread_mutex_unlock(&ledger);
}

int main(void) {
    alarm(60);
    signal(SIGUSR1, handler);
    pthread_mutex_lock(&ledger); /* HELD */
    raise(SIGUSR1);
    pthread_mutex_unlock(&ledger);
    return 0;
}
