/* `lockgraph inspect`: who waits for whom, in a process or a core file that nobody
 * prepared. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "evidence.h"
#include "exit_code.h"
#include "ink.h"
#include "inspect_words.h"
#include "snapshot.h"
#include "snapshot_stacks.h"
#include "snapshot_waits.h"

struct settings {
    bool json;
};

static const struct command_option options[] = {
    {"format", 0, "text|json", "form of the answer (default text)"},
    {0},
};

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    (void)option;
    settings->json = strcmp(value, "json") == 0;
    snprintf(error, 256, "\"%s\" is no form of it: use text or json", value);
    return settings->json || strcmp(value, "text") == 0;
}

/* A number is a process, anything else a file. */
static bool take(struct snapshot *snapshot, const char *what, const char **error) {
    char *end;
    errno = 0;
    long pid = strtol(what, &end, 10);
    if (*end || end == what)
        return snapshot_core(snapshot, what, error);
    *error = "a process id is a positive number";
    return pid > 0 && pid <= INT32_MAX && errno == 0 && snapshot_live(snapshot, (pid_t)pid, error);
}

static int tell(struct snapshot *snapshot, const struct settings *settings) {
    struct symbols *symbols = symbols_open(command_symbol_paths());
    struct stack *stacks = snapshot_stacks(snapshot, symbols);
    struct snapshot_waits waits = snapshot_waits(snapshot, symbols, stacks);
    struct text out = {0};
    if (settings->json)
        inspect_json(&out, snapshot, stacks, &waits);
    else
        inspect_text(&out, snapshot, stacks, &waits, ink_wanted(stdout));
    symbols_close(symbols);
    return evidence_print(&out, waits.cycle_count ? EXIT_FINDINGS : EXIT_CLEAN);
}

static int inspect(const struct command *command, int count, char **arguments) {
    struct settings settings = {0};
    struct pool pool = {0};
    struct snapshot snapshot = {.pool = &pool};
    const char *error = NULL;
    int status = EXIT_UNREADABLE, operands = command_options(command, count, arguments, &settings);
    if (operands < 0)
        return command_options_status(operands);
    if (operands != 1) {
        complain("inspect: takes the id of one process, or one core file");
        return EXIT_USAGE;
    }
    if (take(&snapshot, arguments[0], &error)) {
        status = tell(&snapshot, &settings);
        snapshot_end(&snapshot);
    } else {
        complain("inspect: %s", error);
    }
    pool_free(&pool);
    return status;
}

const struct command inspect_command = {
    .name = "inspect",
    .summary = "tell who waits for whom in a process or core file",
    .synopsis = "[options] PID|CORE",
    .description = "Looks at a running process, or at a core file, that need not have been started by\n"
                   "`lockgraph run`: every thread with its stack, the lock it waits for, who owns that\n"
                   "lock, and the cycle where there is one. The process stands still for some\n"
                   "milliseconds and goes on. Exit status: 66 when threads wait for each other, 65 when\n"
                   "there is no such process or file, or it may not be read.",
    .examples = "  lockgraph inspect 4711\n"
                "  lockgraph inspect --format json /var/crash/core.4711\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = inspect,
};
