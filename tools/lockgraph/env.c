/* `lockgraph env`: what `lockgraph run` would put into the environment, for
 * programs that something else starts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "exit_code.h"
#include "order_file.h"
#include "preload.h"
#include "probe.h"
#include "run_order.h"
#include "run_settings.h"

/* In single quotes, as every shell reads it. */
static void print_quoted(const char *name, const char *value) {
    printf("export %s='", name);
    for (; *value; value++)
        if (*value == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*value);
    fputs("'\n", stdout);
}

static bool make_absolute(struct lgp_options *options) {
    char directory[PATH_MAX], given[PATH_MAX];
    if (options->data[0] == '/')
        return true;
    strcpy(given, options->data);
    int length = getcwd(directory, sizeof directory)
                     ? snprintf(options->data, sizeof options->data, "%s/%s", directory, given)
                     : PATH_MAX;
    return length < PATH_MAX;
}

/* Next to the data directory, which the runtime may move. */
static int save_order(struct pool *pool, const struct run_settings *settings, const struct probe *program,
                      struct lgp_options *options) {
    struct order order = {0};
    const char *error = "the name of the directory is too long";
    if (!order_load(pool, &order, settings->order_file))
        return EXIT_USAGE;
    const char *path = pool_printf(pool, "%s" SAVED_ORDER_SUFFIX, options->data);
    const char *option = order_save(pool, &order, program->path, path, &error);
    if (option && strlen(option) < sizeof options->order) {
        strcpy(options->order, option);
        return EXIT_CLEAN;
    }
    complain("env: %s", error);
    return EXIT_INTERNAL;
}

static int print_environment(struct pool *pool, const struct run_settings *settings,
                             const struct probe *program) {
    const char *error = "the name of the directory is too long", *runtime = NULL;
    struct lgp_options options;
    if (!run_runtime_options(pool, settings, &options, &error) || !make_absolute(&options)) {
        complain("env: %s", error);
        return EXIT_USAGE;
    }
    runtime = find_runtime(pool, &error);
    if (!runtime) {
        complain("env: %s", error);
        return EXIT_INTERNAL;
    }
    int status = settings->order_file ? save_order(pool, settings, program, &options) : EXIT_CLEAN;
    if (status != EXIT_CLEAN)
        return status;
    print_quoted("LD_PRELOAD", preload_value(pool, runtime, getenv("LD_PRELOAD"), program->sanitizer));
    print_quoted(LGP_OPTIONS_VARIABLE, options_value(pool, &options));
    return EXIT_CLEAN;
}

/* What an order is about are addresses in that program. */
static int for_program(struct pool *pool, const struct run_settings *settings, const char *name) {
    struct probe program = {0};
    if (name)
        program = probe_program(pool, name);
    if (name && !program.path)
        complain("env: there is no program %s", name);
    else if (program.blind)
        complain("env: warning: nothing will be seen of %s: %s", name, program.blind);
    return name && !program.path ? EXIT_NOT_FOUND : print_environment(pool, settings, &program);
}

static int env(const struct command *command, int count, char **arguments) {
    struct run_settings settings = {0};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings);
    int status = EXIT_USAGE;
    if (operands < 0)
        status = command_options_status(operands);
    else if (operands > 0 && !settings.order_file)
        complain("env: takes no program without --order; use it as: eval \"$(lockgraph env)\"");
    else if (operands != 1 && settings.order_file)
        complain(
            "env: --order needs the program whose locks it is about: lockgraph env --order FILE PROGRAM");
    else
        status = for_program(&pool, &settings, operands ? arguments[0] : NULL);
    free(settings.given);
    pool_free(&pool);
    return status;
}

const struct command env_command = {
    .name = "env",
    .summary = "print the variables that run would set",
    .synopsis = "[options] [--order FILE PROGRAM]",
    .description =
        "Prints shell commands that set LD_PRELOAD and LOCKGRAPH_OPTIONS as `lockgraph run` does, for\n"
        "programs started by something else. The program then prints its verdict at exit itself.\n"
        "With --order the order of FILE, made into addresses in PROGRAM and its libraries, is written to\n"
        "DIR" SAVED_ORDER_SUFFIX ", which the variables name; do that again when one of them was rebuilt.",
    .examples = "  eval \"$(lockgraph env -o /var/tmp/evidence)\"\n"
                "  eval \"$(lockgraph env --order server.order ./server)\"\n",
    .options = env_options,
    .apply = run_apply,
    .run = env,
};
