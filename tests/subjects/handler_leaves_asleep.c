/* Handlers that cannot be put off and interrupt the runtime: left by siglongjmp, by a
 * thread that sleeps afterwards, the others go on; and a child that was forked in one returns from it.
 *
 * case: once
 * silent
 * may be unseen
 * seconds: 40
 *
 * case: job
 * silent
 * may be unseen
 * seconds: 40
 *
 * case: fork
 * silent
 * may be unseen
 * seconds: 40
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "turns.h"

enum { OTHERS = 2, LOCKS = 16, ROUNDS = 60, FORKS = 40, STEPS = 10, PATIENCE = 5 };

static const char *what;
static int number;
static sigjmp_buf out;
static atomic_int ready, left, may_go_on, over, forks, lost;
static atomic_long done[OTHERS];
static int in_child, steps_of_child;

static int is(const char *word) { return strcmp(what, word) == 0; }

static void install(void);

/* The child has nobody to wait for: it goes on with what it was at. */
static void fork_and_wait(void) {
    int status, before = errno;
    pid_t child = fork();
    if (child == 0) {
        in_child = 1;
        alarm(PATIENCE);
    } else {
        waitpid(child, &status, 0);
        lost += !WIFEXITED(status) || WEXITSTATUS(status) != 9;
        forks++;
    }
    errno = before;
}

static void handle(int signal) {
    if (is("once"))
        install();
    if (is("fork"))
        fork_and_wait();
    else
        siglongjmp(out, signal);
}

static void install(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = is("once") ? (int)SA_RESETHAND : 0};
    sigaction(number, &action, NULL);
}

/* New locks all the time: each is looked at. */
static void work(atomic_long *steps) {
    pthread_mutex_t locks[LOCKS];
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (int i = 0; i + 1 < LOCKS; i++) {
        pthread_mutex_lock(&locks[i]);
        pthread_mutex_lock(&locks[i + 1]);
        pthread_mutex_unlock(&locks[i + 1]);
        pthread_mutex_unlock(&locks[i]);
    }
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&locks[i]);
    ++*steps;
}

static void *work_on(void *steps) {
    while (!over)
        work(steps);
    return NULL;
}

/* The signal is its alone. */
static void unblock(void) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

static void *be_interrupted(void *unused) {
    static atomic_long steps;
    if (sigsetjmp(out, 1) != 0) {
        left++;
        while (may_go_on < left)
            syscall(SYS_sched_yield);
    }
    ready++;
    unblock();
    while (!over) {
        work(&steps);
        if (in_child && ++steps_of_child == STEPS)
            _exit(9);
    }
    return unused;
}

static void check_progress(void) {
    for (int i = 0; i < OTHERS; i++) {
        long before = done[i];
        for (int ms = 0; done[i] < before + 3; ms++) {
            if (ms > PATIENCE * 1000) {
                printf("they stand still\n");
                fflush(stdout);
                abort();
            }
            usleep(1000);
        }
    }
}

int main(int argc, char **argv) {
    pthread_t threads[OTHERS + 1];
    sigset_t all;
    what = argc > 1 ? argv[1] : "";
    number = is("job") ? SIGTSTP : is("once") ? SIGUSR1 : SIGTTOU;
    install();
    sigfillset(&all);
    sigdelset(&all, SIGALRM); /* ends a child that stands still */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_create(&threads[0], NULL, be_interrupted, NULL);
    for (int i = 0; i < OTHERS; i++)
        pthread_create(&threads[i + 1], NULL, work_on, &done[i]);
    for (int round = 0; round < (is("fork") ? FORKS : ROUNDS); round++) {
        while (!is("fork") && ready == left)
            usleep(100);
        usleep(1000 + round * 79 % 2000);
        pthread_kill(threads[0], number);
        while (is("fork") ? forks == round : left == round)
            usleep(100);
        check_progress();
        may_go_on = round + 1;
    }
    over = 1;
    for (int i = 0; i <= OTHERS; i++)
        pthread_join(threads[i], NULL);
    if (lost != 0)
        printf("%d children did not come to their end\n", lost);
    return lost != 0;
}
