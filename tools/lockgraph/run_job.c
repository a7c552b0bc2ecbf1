#include "run_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exit_code.h"

#define GRACE_MS 2000

static sigset_t original_mask;
static struct sigaction original_child_action, original_pipe_action;

static sigset_t awaited_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    return set;
}

/* SIGTTOU too: handing the terminal over from the background must not stop us.  And SIGPIPE:
 * the program is looked after, and ended in time, also when nobody reads our words. */
static void block_signals(void) {
    sigset_t set = awaited_signals();
    sigaddset(&set, SIGTTOU);
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &plain, &original_child_action);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, &original_pipe_action);
    sigprocmask(SIG_BLOCK, &set, &original_mask);
}

static bool in_foreground(void) { return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp(); }

static _Noreturn void become(char **arguments, const struct job_environment *environment, bool terminal,
                             int report) {
    setpgid(0, 0);
    if (terminal)
        tcsetpgrp(STDIN_FILENO, getpgrp());
    setenv("LD_PRELOAD", environment->preload, 1);
    setenv("LOCKGRAPH_OPTIONS", environment->options, 1);
    sigaction(SIGCHLD, &original_child_action, NULL);
    sigaction(SIGPIPE, &original_pipe_action, NULL);
    sigprocmask(SIG_SETMASK, &original_mask, NULL);
    execvp(arguments[0], arguments);
    int error = errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(EXIT_INTERNAL);
    _exit(error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

bool job_start(struct job *job, char **arguments, const struct job_environment *environment) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return false;
    block_signals();
    *job = (struct job){.has_terminal = in_foreground()};
    job->child = fork();
    if (job->child == 0)
        become(arguments, environment, job->has_terminal, report[1]);
    close(report[1]);
    if (job->child > 0) {
        setpgid(job->child, job->child); /* whoever is first; the other fails harmlessly */
        if (read(report[0], &job->start_error, sizeof job->start_error) != sizeof job->start_error)
            job->start_error = 0;
    }
    close(report[0]);
    return job->child > 0;
}

/* Ctrl-Z at the terminal: we stop with the program, and go on with it. */
static void stop_with(struct job *job) {
    if (!job->has_terminal)
        return;
    tcsetpgrp(STDIN_FILENO, getpgrp());
    kill(0, SIGSTOP);
    if (in_foreground())
        tcsetpgrp(STDIN_FILENO, job->child);
    kill(-job->child, SIGCONT);
}

static void collect(struct job *job) {
    int status;
    while (!job->ended && waitpid(job->child, &status, WNOHANG | WUNTRACED) == job->child) {
        if (WIFSTOPPED(status)) {
            stop_with(job);
            continue;
        }
        job->ended = true;
        job->status = status;
    }
}

/* One wait of at most a tick. */
static void wait_a_tick(struct job *job) {
    sigset_t set = awaited_signals();
    struct timespec tick = {.tv_nsec = JOB_TICK_MS * 1000000L};
    int signal_number = sigtimedwait(&set, NULL, &tick);
    if (signal_number > 0 && signal_number != SIGCHLD)
        kill(-job->child, signal_number);
    collect(job);
}

void job_wait(struct job *job, job_tick *tick, void *context) {
    collect(job);
    while (!job->ended && tick(job, context))
        wait_a_tick(job);
}

static bool group_lives(const struct job *job) { return kill(-job->child, 0) == 0; }

void job_kill(struct job *job, bool gentle) {
    if (gentle) {
        kill(-job->child, SIGTERM);
        kill(-job->child, SIGCONT);
        for (int waited = 0; waited < GRACE_MS && (!job->ended || group_lives(job)); waited += JOB_TICK_MS)
            wait_a_tick(job);
    }
    if (!job->ended || group_lives(job))
        kill(-job->child, SIGKILL);
    while (!job->ended)
        job->ended = waitpid(job->child, &job->status, 0) == job->child || errno != EINTR;
}

void job_finish(struct job *job) {
    if (job->has_terminal)
        tcsetpgrp(STDIN_FILENO, getpgrp());
    sigprocmask(SIG_SETMASK, &original_mask, NULL);
}
