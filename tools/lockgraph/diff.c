/* `lockgraph diff`: what changed between two states of a program. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "difference.h"
#include "evidence.h"
#include "exit_code.h"
#include "ink.h"
#include "kinds.h"
#include "summary_load.h"
#include "suppress.h"

struct settings {
    unsigned fail_on;
};

static const struct command_option options[] = {
    {"fail-on", 0, "SEVERITY",
     "exit 66 when something new is so grave: error (default), warning, note or never"},
    {0},
};

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    (void)option;
    snprintf(error, 256, "use error, warning, note or never");
    return severity_parse(value, &settings->fail_on);
}

static int compare(struct pool *pool, char **paths, const struct settings *settings,
                   const struct suppressions *suppressions) {
    struct summary_side before = {0}, now = {0};
    struct text out = {0};
    int status = EXIT_UNREADABLE;
    if (summary_load(pool, paths[0], NULL, &before) && summary_load(pool, paths[1], suppressions, &now)) {
        struct difference difference = difference_of(pool, &before.summary, &now.summary);
        text_add(&out, "lockgraph: ");
        difference_text(&out, &difference, ink_wanted(stdout));
        summary_add_problems(&out, before.model, paths[0]);
        summary_add_problems(&out, now.model, paths[1]);
        status = difference_fails(&difference, settings->fail_on) ? EXIT_FINDINGS : EXIT_CLEAN;
    }
    summary_unload(&before);
    summary_unload(&now);
    return evidence_print(&out, status);
}

static int diff(const struct command *command, int count, char **arguments) {
    struct settings settings = {.fail_on = LGR_ERROR};
    struct suppressions suppressions = {0};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings), status = EXIT_USAGE;
    if (operands < 0)
        return command_options_status(operands);
    if (operands != 2)
        complain("diff: give what was and what is: lockgraph diff OLD NEW");
    else if (suppressions_load(&pool, &suppressions, NULL, 0))
        status = compare(&pool, arguments, &settings, &suppressions);
    pool_free(&pool);
    return status;
}

const struct command diff_command = {
    .name = "diff",
    .summary = "tell what changed between two runs",
    .synopsis = "[--fail-on SEVERITY] OLD NEW",
    .description =
        "Compares what was found, which locks were taken under which, and the levels of their classes. OLD\n"
        "and NEW are directories or files of evidence, files of lockgraph merge, or JSON reports; where the\n"
        "locks lay in memory does not matter. New pairs and levels count as notes, a finding that became\n"
        "graver as new; what ./" DEFAULT_SUPPRESSIONS " leaves out of NEW does not count.\n"
        "Exit status: 0 nothing new at or above --fail-on, 66 something, 65 unreadable evidence, 2 usage.",
    .examples = "  lockgraph diff monday.data tuesday.data\n"
                "  lockgraph diff --fail-on warning release.json lockgraph.data\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = diff,
};
