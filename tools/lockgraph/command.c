#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_code.h"
#include "symbol_paths.h"

const struct command_option command_help_option = {"help", 'h', NULL, "print this help"};

/* The same for all of a command: handing them through every layer down to the symbols would
 * tell nothing. */
static struct symbol_paths symbol_paths;

const struct symbol_paths *command_symbol_paths(void) { return &symbol_paths; }

void complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("lockgraph: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* ---- parsing ---- */

/* One option on the command line, taken apart. */
struct given {
    const char *text; /* as given, for messages */
    const char *name; /* long form, or NULL */
    size_t name_length;
    char letter;
    const char *value; /* attached to it, or NULL */
};

static struct given take_apart(const char *argument) {
    struct given given = {.text = argument};
    if (argument[1] == '-') {
        given.name = argument + 2;
        given.name_length = strcspn(given.name, "=");
        given.value = given.name[given.name_length] ? given.name + given.name_length + 1 : NULL;
    } else {
        given.letter = argument[1];
        given.value = argument[2] ? argument + 2 : NULL;
    }
    return given;
}

static bool matches(const struct command_option *option, const struct given *given) {
    if (!given->name)
        return option->letter == given->letter;
    return option->name && strlen(option->name) == given->name_length &&
           memcmp(option->name, given->name, given->name_length) == 0;
}

static const struct command_option *find_in(const struct command_option *option, const struct given *given) {
    for (; option->name || option->letter; option++)
        if (matches(option, given))
            return option;
    return NULL;
}

static const struct command_option *find_option(const struct command *command, const struct given *given) {
    const struct command_option *option = find_in(command->options, given);
    if (!option && command->symbolises)
        option = find_in(symbol_path_options, given);
    return option || !matches(&command_help_option, given) ? option : &command_help_option;
}

static bool is_symbol_option(const struct command_option *option) {
    for (const struct command_option *one = symbol_path_options; one->name; one++)
        if (one == option)
            return true;
    return false;
}

static bool apply(const struct command *command, void *settings, const struct command_option *option,
                  const char *value, char *error) {
    if (is_symbol_option(option))
        return symbol_paths_apply(&symbol_paths, option, value, error);
    return command->apply(settings, option, value, error);
}

bool command_count(const char *value, size_t *number, char *error) {
    char *end;
    errno = 0;
    *number = strtoul(value, &end, 10);
    snprintf(error, 256, "give a whole number from 1 to 1000000");
    return *value >= '0' && *value <= '9' && !*end && errno == 0 && *number >= 1 && *number <= 1000000;
}

static int usage_error(const struct command *command) {
    fprintf(stderr, "Try: lockgraph help %s\n", command->name);
    return OPTIONS_WRONG;
}

/* Applies the option at arguments[*at]; a separate value moves *at on. */
static int apply_option(const struct command *command, int count, char **arguments, int *at, void *settings) {
    struct given given = take_apart(arguments[*at]);
    const struct command_option *option = find_option(command, &given);
    char error[256] = "";
    if (!option) {
        complain("%s: unknown option %s", command->name, given.text);
        return usage_error(command);
    }
    if (!option->help) {
        complain("%s: --%s is not part of this version", command->name, option->name);
        return OPTIONS_WRONG;
    }
    if (option == &command_help_option) {
        command_print_help(command);
        return OPTIONS_HELP;
    }
    if (option->argument && !given.value && *at + 1 < count)
        given.value = arguments[++*at];
    if (!option->argument != !given.value) {
        complain("%s: %s %s", command->name, given.text,
                 option->argument ? "needs a value" : "takes no value");
        return usage_error(command);
    }
    if (apply(command, settings, option, given.value, error))
        return 0;
    complain("%s: %s: %s", command->name, given.text, error);
    return OPTIONS_WRONG;
}

int command_options(const struct command *command, int count, char **arguments, void *settings) {
    int operands = 0, at = 0;
    for (; at < count; at++) {
        const char *argument = arguments[at];
        if (strcmp(argument, "--") == 0) {
            at++;
            break;
        }
        if (argument[0] != '-' || !argument[1]) {
            if (command->operands_end_options)
                break;
            arguments[operands++] = arguments[at];
            continue;
        }
        int result = apply_option(command, count, arguments, &at, settings);
        if (result < 0)
            return result;
    }
    for (; at < count; at++)
        arguments[operands++] = arguments[at];
    return operands;
}

int command_options_status(int result) { return result == OPTIONS_HELP ? EXIT_CLEAN : EXIT_USAGE; }
