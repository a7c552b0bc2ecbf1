/* `lockgraph stat`: which locks cost time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "data_dir.h"
#include "evidence.h"
#include "exit_code.h"
#include "stat_text.h"

#define TOP 20

struct settings {
    size_t top;
    enum stat_by by;
};

static const struct command_option options[] = {
    {"top", 0, "N", "how many to tell (default 20)"},
    {"by", 0, "class|site|thread", "by class of locks (default), by the place, or by the thread that waited"},
    {0},
};

static bool set_by(struct settings *settings, const char *value, char *error) {
    static const char *const names[] = {"class", "site", "thread"}; /* enum stat_by */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            settings->by = (enum stat_by)i;
            return true;
        }
    snprintf(error, 256, "use class, site or thread");
    return false;
}

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    if (strcmp(option->name, "by") == 0)
        return set_by(settings, value, error);
    return command_count(value, &settings->top, error);
}

static int stat_command_run(const struct command *command, int count, char **arguments) {
    struct settings settings = {.top = TOP};
    int operands = command_options(command, count, arguments, &settings), status = EXIT_CLEAN;
    if (operands < 0)
        return command_options_status(operands);
    struct pool pool = {0};
    struct text out = {0};
    struct model *model = evidence_load(&pool, operands, arguments, &(struct model_options){0}, &status);
    if (model) {
        stat_text(&out, model, settings.by, settings.top);
        model_free(model);
    }
    pool_free(&pool);
    return evidence_print(&out, status);
}

const struct command stat_command = {
    .name = "stat",
    .summary = "tell which locks cost time",
    .synopsis = "[--top N] [--by class|site|thread] [DIR|FILE…]",
    .description =
        "Tells how often and how long threads waited for locks, by class of locks, by place or by thread,\n"
        "and after lockgraph run -O profile=1 how often locks were taken and how long they were\n"
        "held; what cost most first. The evidence is in DIR (default ./" DEFAULT_DATA_DIR
        ") or the FILEs, of\n"
        "finished or still running processes.\n"
        "Exit status: 0 told, 2 wrong usage, 65 unreadable evidence.",
    .examples = "  lockgraph stat\n"
                "  lockgraph stat --top 5 --by site\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = stat_command_run,
};
