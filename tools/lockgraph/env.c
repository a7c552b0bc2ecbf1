/* `lockgraph env`: what `lockgraph run` would put into the environment, for
 * programs that something else starts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "exit_code.h"
#include "preload.h"
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

static int print_environment(struct pool *pool, const struct run_settings *settings) {
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
    print_quoted("LD_PRELOAD", preload_value(pool, runtime, getenv("LD_PRELOAD"), NULL));
    print_quoted(LGP_OPTIONS_VARIABLE, options_value(pool, &options));
    return EXIT_CLEAN;
}

static int env(const struct command *command, int count, char **arguments) {
    struct run_settings settings = {0};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings);
    int status = EXIT_USAGE;
    if (operands < 0)
        status = command_options_status(operands);
    else if (operands > 0)
        complain("env: takes no program; use it as: eval \"$(lockgraph env)\"");
    else
        status = print_environment(&pool, &settings);
    free(settings.given);
    pool_free(&pool);
    return status;
}

const struct command env_command = {
    .name = "env",
    .summary = "print the variables that run would set",
    .synopsis = "[options]",
    .description =
        "Prints shell commands that set LD_PRELOAD and LOCKGRAPH_OPTIONS as `lockgraph run` does, for\n"
        "programs started by something else. The program then prints its verdict at exit itself.",
    .examples = "  eval \"$(lockgraph env -o /var/tmp/evidence)\"\n",
    .options = env_options,
    .apply = run_apply,
    .run = env,
};
