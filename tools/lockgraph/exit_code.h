/* Every exit status of the command, and the one rule that chooses between
 * them.  Scripts gate on these: do not renumber. */
#ifndef LOCKGRAPH_COMMAND_EXIT_CODE_H
#define LOCKGRAPH_COMMAND_EXIT_CODE_H

#include <stdbool.h>

enum exit_code {
    EXIT_CLEAN = 0,
    EXIT_USAGE = 2,
    EXIT_UNREADABLE = 65, /* evidence missing or damaged (EX_DATAERR) */
    EXIT_FINDINGS = 66,
    EXIT_BLIND = 69,    /* nothing was seen, and that was asked for */
    EXIT_INTERNAL = 70, /* out of memory, no process, no descriptor */
    EXIT_TIMED_OUT = 124,
    EXIT_CANNOT_RUN = 126,
    EXIT_NOT_FOUND = 127,
};

/* What is known once the program has ended. */
struct outcome {
    bool findings;      /* one at or above --fail-on exists */
    int findings_code;  /* --exitcode, EXIT_FINDINGS by default */
    bool timed_out;     /* stopped by --timeout */
    bool blind;         /* no lock was seen */
    bool require_seen;  /* --require-coverage */
    int command_status; /* the program's own: 0-255, 128+n for signal n */
};

/* The exit status of `lockgraph run`: findings win over everything, then the
 * time limit, then blindness, then the program's own status. */
int exit_code_of_run(const struct outcome *outcome);

/* The shell's number for a status as waitpid gives it. */
int exit_code_of_wait_status(int status);

#endif
