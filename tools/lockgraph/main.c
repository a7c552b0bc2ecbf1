/* The lockgraph command: finds the subcommand and calls it. */
#include <elfutils/version.h>
#include <errno.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "exit_code.h"
#include "record/format.h"
#include "record/merged.h"
#include "version.h"

static const struct command *const commands[] = {
    &run_command,      &report_command,  &explain_command, &why_command,    &stat_command,
    &suppress_command, &diff_command,    &merge_command,   &export_command, &learn_command,
    &check_command,    &inspect_command, &top_command,     &env_command,    &help_command};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_overview(FILE *stream) {
    fputs("usage: lockgraph COMMAND [options]\n\n"
          "Finds lock-order violations and deadlocks in programs with POSIX threads.\n\nCommands:\n",
          stream);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nStart with:  lockgraph run -- PROGRAM\n"
          "More about a command:  lockgraph help COMMAND\n",
          stream);
}

static void print_version(void) {
    printf("lockgraph %s\n", LOCKGRAPH_VERSION);
    printf("evidence format %u, reads %u to %u\n", LGR_VERSION, LGR_OLDEST, LGR_VERSION);
    printf("merged format %u\n", LGM_VERSION);
    printf("reports: text, json (lockgraph-report/1), html, svg, dot, sarif 2.1.0, junit, openmetrics\n");
    printf("also: check --format json (lockgraph-check/1), inspect (lockgraph-inspect/1),\n"
           "  report --follow (lockgraph-follow/1)\n");
    printf("exports: folded, perfetto, sqlite (lockgraph-sqlite/1)\n");
    printf("libraries: elfutils 0.%d, jansson %s, sqlite %s, libiberty\n", _ELFUTILS_VERSION, JANSSON_VERSION,
           SQLITE_VERSION);
}

static bool no_option(void *settings, const struct command_option *option, const char *value, char *error) {
    (void)settings, (void)option, (void)value, (void)error;
    return true;
}

static int help(const struct command *command, int count, char **arguments) {
    int operands = command_options(command, count, arguments, NULL);
    if (operands < 0)
        return command_options_status(operands);
    const struct command *wanted = operands ? find_command(arguments[0]) : NULL;
    if (operands && !wanted) {
        complain("there is no command \"%s\"", arguments[0]);
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (wanted)
        command_print_help(wanted);
    else
        print_overview(stdout);
    return EXIT_CLEAN;
}

static const struct command_option no_options[] = {{0}};
const struct command help_command = {
    .name = "help",
    .summary = "explain a command",
    .synopsis = "[COMMAND]",
    .description = "Lists the commands, or explains one.",
    .options = no_options,
    .apply = no_option,
    .run = help,
};

static int dispatch(int count, char **arguments) {
    const char *first = count > 1 ? arguments[1] : NULL;
    if (!first) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        print_overview(stdout);
        return EXIT_CLEAN;
    }
    if (strcmp(first, "--version") == 0) {
        print_version();
        return EXIT_CLEAN;
    }
    const struct command *command = find_command(first);
    if (command)
        return command->run(command, count - 2, arguments + 2);
    complain("there is no command \"%s\"", first);
    print_overview(stderr);
    return EXIT_USAGE;
}

int main(int count, char **arguments) {
    int status = dispatch(count, arguments);
    if (fflush(stdout) == 0 || status != EXIT_CLEAN)
        return status;
    complain("cannot write the standard output: %s", strerror(errno));
    return EXIT_INTERNAL;
}
