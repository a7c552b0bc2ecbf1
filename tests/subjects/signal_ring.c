/* A thread waits for one lock when its signal handler wants another: whose owner waits
 * for what the thread holds; or it gets that, and the wait that goes on is part of a ring.
 *
 * deadlock
 * expect: deadlock actual error
 * case: ring
 * threads: 2
 * line: HANDLER takes it
 * case: waits-on
 * threads: 2
 * line: WAIT for the mutex
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "put_off.h"
#include "turns.h"

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, busy = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t account = PTHREAD_MUTEX_INITIALIZER;
static atomic_int handled, waits;

static void take(int number) {
    (void)number;
    pthread_mutex_lock(&ledger); /* HANDLER takes it */
    pthread_mutex_unlock(&ledger);
    handled++;
}

static void mask_signal(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(how, &set, NULL);
}

static void *keep_busy(void *unused) {
    pthread_mutex_lock(&busy);
    waits = 1;
    pause();
    return unused;
}

static void *wait_for_busy(void *unused) {
    mask_signal(SIG_UNBLOCK);
    pthread_mutex_lock(&account);
    waits = 1;
    pthread_mutex_lock(&busy); /* WAIT for the mutex */
    pthread_mutex_unlock(&busy);
    pthread_mutex_unlock(&account);
    return unused;
}

static void until(const atomic_int *event) {
    while (*event == 0)
        usleep(1000);
}

/* The handler of the thread that waits for `busy` wants what we hold, and we want what it holds. */
static void close_ring(pthread_t thread) {
    pthread_mutex_lock(&ledger);
    pthread_kill(thread, SIGUSR1);
    usleep(50000);
    pthread_mutex_lock(&account);
}

/* The wait that a handler with a wait of its own interrupted still counts. */
static void wait_on(pthread_t thread) {
    pthread_mutex_lock(&ledger);
    pthread_kill(thread, SIGUSR1);
    usleep(50000);
    pthread_mutex_unlock(&ledger);
    until(&handled);
    pthread_mutex_lock(&account);
}

/* Held by this thread or, where that is not to matter, by another. */
static void hold_busy(int self) {
    pthread_t keeper;
    if (self) {
        pthread_mutex_lock(&busy);
        return;
    }
    pthread_create(&keeper, NULL, keep_busy, NULL);
    until(&waits);
    waits = 0;
}

int main(int argc, char **argv) {
    struct sigaction action = {.sa_handler = take, .sa_flags = CAN_BE_PUT_OFF};
    pthread_t thread;
    int ring = argc > 1 && strcmp(argv[1], "ring") == 0;
    alarm(60);
    sigaction(SIGUSR1, &action, NULL);
    mask_signal(SIG_BLOCK);
    hold_busy(!ring);
    pthread_create(&thread, NULL, wait_for_busy, NULL);
    until(&waits);
    usleep(20000);
    if (ring)
        close_ring(thread);
    else
        wait_on(thread);
    pthread_join(thread, NULL);
    return 0;
}
