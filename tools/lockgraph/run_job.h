/* A program that `lockgraph run` started: its process group, the terminal it
 * borrows, the signals that are passed on, its end. */
#ifndef LOCKGRAPH_COMMAND_RUN_JOB_H
#define LOCKGRAPH_COMMAND_RUN_JOB_H

#include <stdbool.h>
#include <sys/types.h>

struct job {
    pid_t child; /* also the id of its process group */
    bool ended;
    int status;        /* as from waitpid, valid once ended */
    int start_error;   /* errno of a failed exec, 0: started */
    bool has_terminal; /* we gave it our terminal */
};

/* Called between waits, about every JOB_TICK_MS; false: stop waiting. */
typedef bool job_tick(struct job *job, void *context);
#define JOB_TICK_MS 200

struct job_environment {
    const char *preload, *options; /* values of LD_PRELOAD and LOCKGRAPH_OPTIONS */
};

/* Starts arguments[0] in a process group of its own.  False: no process could
 * be made (errno).  An exec that fails is reported in start_error. */
bool job_start(struct job *job, char **arguments, const struct job_environment *environment);

/* Waits for the end of the program itself; passes SIGINT, SIGTERM, SIGHUP and
 * SIGQUIT on to the group and stops and continues with it at a terminal. */
void job_wait(struct job *job, job_tick *tick, void *context);

/* Ends the group: `gentle` SIGTERM first, SIGKILL for what is left two seconds
 * later.  Afterwards the program itself has ended. */
void job_kill(struct job *job, bool gentle);

/* Takes the terminal back and restores the signal mask. */
void job_finish(struct job *job);

#endif
