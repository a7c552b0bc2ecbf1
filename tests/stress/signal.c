/* Signals from everywhere; handlers use async-signal-safe calls only. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

static sem_t arrived; /* as a signal: posted by handlers, taken by one actor */
static _Atomic int handled;
static int pipe_ends[2];

static void handler(int number) {
    int saved = errno, value = 0;
    handled++;
    if (sem_getvalue(&arrived, &value) == 0 && value < 100)
        sem_post(&arrived);
    if (number == SIGUSR2 && write(pipe_ends[1], "", 1) < 0)
        errno = 0; /* full: nobody reads that fast */
    errno = saved;
}

static void handle(int number, int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    MUST(sigemptyset(&action.sa_mask) == 0);
    MUST(sigaction(number, &action, NULL) == 0);
}

void signals_start(void) {
    MUST(sem_init(&arrived, 0, 0) == 0);
    MUST(pipe2(pipe_ends, O_NONBLOCK) == 0);
    handle(SIGUSR1, SA_ONSTACK);
    handle(SIGUSR2, SA_RESTART);
}

/* A burst to the process or to this thread, with another handler now and then. */
void step_send_signals(struct actor *actor) {
    for (int i = 0; i < 50; i++) {
        int number = pick(actor, 2) ? SIGUSR1 : SIGUSR2;
        if (pick(actor, 3))
            MUST(kill(getpid(), number) == 0);
        else
            MUST(pthread_kill(pthread_self(), number) == 0);
        if (pick(actor, 10) == 0)
            handle(SIGUSR1, pick(actor, 2) ? SA_ONSTACK : SA_RESTART | SA_NODEFER);
        if (pick(actor, 4) == 0)
            table_visit(actor);
    }
    rest(5000);
}

static void drain(void) {
    char bytes[256];
    while (read(pipe_ends[0], bytes, sizeof bytes) > 0)
        ;
}

static void with_signals_blocked(struct actor *actor) {
    sigset_t some, old;
    MUST(sigemptyset(&some) == 0 && sigaddset(&some, SIGUSR1) == 0 && sigaddset(&some, SIGUSR2) == 0);
    MUST(pthread_sigmask(SIG_BLOCK, &some, &old) == 0);
    table_visit(actor);
    MUST(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

static void with_another_stack(struct actor *actor) {
    static char memory[64 * 1024];
    stack_t mine = {.ss_sp = memory, .ss_size = sizeof memory}, none = {.ss_flags = SS_DISABLE};
    MUST(sigaltstack(&mine, NULL) == 0);
    MUST(pthread_kill(pthread_self(), SIGUSR1) == 0);
    table_visit(actor);
    MUST(sigaltstack(&none, NULL) == 0);
}

void step_take_signals(struct actor *actor) {
    struct timespec soon = in_milliseconds(CLOCK_REALTIME, 5);
    while (sem_timedwait(&arrived, &soon) == 0 || errno == EINTR)
        ;
    MUST(errno == ETIMEDOUT);
    drain();
    with_signals_blocked(actor);
    with_another_stack(actor);
}
