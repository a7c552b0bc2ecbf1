/* A handler that cannot be put off interrupts the runtime and forks: the child returns from it, and goes
 * on with what it was at.
 *
 * silent
 * may be unseen
 * seconds: 40
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "turns.h"

enum { OTHERS = 2, LOCKS = 16, FORKS = 40, STEPS = 10, PATIENCE = 5 };

static atomic_int over, forks, lost;
static atomic_long done[OTHERS];
static int in_child, steps_of_child;

/* The child has nobody to wait for: it goes on with what it was at. */
static void fork_and_wait(int signal) {
    (void)signal;
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
static void *be_interrupted(void *unused) {
    static atomic_long steps;
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGTTOU);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
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

int main(void) {
    pthread_t threads[OTHERS + 1];
    struct sigaction action = {.sa_handler = fork_and_wait};
    sigset_t all;
    sigaction(SIGTTOU, &action, NULL);
    sigfillset(&all);
    sigdelset(&all, SIGALRM); /* ends a child that stands still */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_create(&threads[0], NULL, be_interrupted, NULL);
    for (int i = 0; i < OTHERS; i++)
        pthread_create(&threads[i + 1], NULL, work_on, &done[i]);
    for (int round = 0; round < FORKS; round++) {
        usleep(1000 + round * 79 % 2000);
        pthread_kill(threads[0], SIGTTOU);
        while (forks == round)
            usleep(100);
        check_progress();
    }
    over = 1;
    for (int i = 0; i <= OTHERS; i++)
        pthread_join(threads[i], NULL);
    if (lost != 0)
        printf("%d children did not come to their end\n", lost);
    return lost != 0;
}
