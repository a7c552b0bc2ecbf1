/* A once routine needs a lock whose holder waits for that routine; two routines ask for
 * each other's control, or one for its own.
 *
 * deadlock
 * expect: deadlock actual error
 * case: lock
 * threads: 2
 * thread: WANTS lock
 * thread: HELD lock, ASKS for the control
 * says: to finish its one-time initialisation, setup_lock, release setup_lock before asking
 * case: two
 * threads: 2
 * says: to finish its one-time initialisation, first_routine
 * case: itself
 * threads: 1
 * says: to finish its one-time initialisation
 * case: c11
 * threads: 2
 * thread: WANTS lock
 * thread: HELD lock, CALLS call_once
 */
#include <pthread.h>
#include <string.h>
#include <threads.h>

#include "turns.h"

static pthread_mutex_t setup_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t control = PTHREAD_ONCE_INIT, other_control = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;

static void routine(void) {
    next_turn(); /* 1: it runs */
    await_turn(2);
    pthread_mutex_lock(&setup_lock); /* WANTS lock */
    pthread_mutex_unlock(&setup_lock);
}

static void nothing(void) {}

static void *runs(void *unused) {
    pthread_once(&control, routine);
    return unused;
}

static void *runs_c11(void *unused) {
    call_once(&flag, routine);
    return unused;
}

static void hold_and_ask(int c11) {
    pthread_mutex_lock(&setup_lock); /* HELD lock */
    await_turn(1);
    next_turn();
    usleep(100000); /* the routine waits by now */
    if (c11)
        call_once(&flag, nothing); /* CALLS call_once */
    else
        pthread_once(&control, nothing); /* ASKS for the control */
    pthread_mutex_unlock(&setup_lock);
}

static void other_routine(void) {
    next_turn();
    await_turn(2);
    pthread_once(&control, nothing);
}

static void first_routine(void) {
    next_turn();
    await_turn(2);
    pthread_once(&other_control, nothing);
}

static void *runs_other(void *unused) {
    pthread_once(&other_control, other_routine);
    return unused;
}

static void asks_again(void) { pthread_once(&control, nothing); }

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "lock";
    pthread_t thread;
    alarm(60);
    pthread_mutex_lock(&setup_lock);
    pthread_mutex_unlock(&setup_lock);
    if (strcmp(what, "itself") == 0) {
        pthread_once(&control, asks_again);
    } else if (strcmp(what, "two") == 0) {
        pthread_create(&thread, NULL, runs_other, NULL);
        pthread_once(&control, first_routine);
        pthread_join(thread, NULL);
    } else {
        int c11 = strcmp(what, "c11") == 0;
        pthread_create(&thread, NULL, c11 ? runs_c11 : runs, NULL);
        hold_and_ask(c11);
        pthread_join(thread, NULL);
    }
    return 0;
}
