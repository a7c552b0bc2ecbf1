/* A thread leaves a wait by siglongjmp out of a signal handler, and does nothing that the
 * runtime sees: for whom it waited may then wait for what it holds.  The same while the
 * handler of a thread that waits has still to return.
 *
 * case: join
 * silent
 *
 * case: once
 * silent
 *
 * case: handler
 * silent
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "turns.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t control = PTHREAD_ONCE_INIT;
static sigjmp_buf out;
static const char *what;
static pthread_t other;

static int is(const char *word) { return strcmp(what, word) == 0; }

/* In case `handler`, until the other one has been waiting for a while. */
static void leave(int number) {
    if (is("handler")) {
        next_turn();
        await_turn(2);
        usleep(100000);
        pthread_mutex_unlock(&held);
        await_turn(3);
    }
    siglongjmp(out, number);
}

static void use_held(void) {
    await_turn(1);
    next_turn();
    pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
    next_turn();
}

static void *run(void *unused) {
    if (is("once"))
        pthread_once(&control, use_held);
    else
        use_held();
    return unused;
}

static void nothing(void) {}

static void wait_for_other(void) {
    if (is("once"))
        pthread_once(&control, nothing);
    else
        pthread_join(other, NULL);
}

int main(int argc, char **argv) {
    struct sigaction action = {.sa_handler = leave};
    what = argc > 1 ? argv[1] : "";
    sigaction(SIGALRM, &action, NULL);
    pthread_mutex_lock(&held);
    pthread_create(&other, NULL, run, NULL);
    usleep(50000); /* it runs the routine */
    if (sigsetjmp(out, 1) == 0) {
        ualarm(50000, 0);
        wait_for_other();
    }
    if (!is("handler")) {
        next_turn();
        await_turn(2);
        usleep(100000);
        pthread_mutex_unlock(&held);
    }
    await_turn(3);
    pthread_join(other, NULL);
    return 0;
}
