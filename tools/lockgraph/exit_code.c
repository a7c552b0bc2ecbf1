#include "exit_code.h"

#include <sys/wait.h>

int exit_code_of_run(const struct outcome *outcome) {
    if (outcome->findings)
        return outcome->findings_code;
    if (outcome->timed_out)
        return EXIT_TIMED_OUT;
    if (outcome->blind && outcome->require_seen)
        return EXIT_BLIND;
    return outcome->command_status;
}

int exit_code_of_wait_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
