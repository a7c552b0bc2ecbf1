/* Subcommands as constant descriptors, and the one option parser they share.
 * Help, errors and the manual's option lists come from the same tables. */
#ifndef LOCKGRAPH_COMMAND_COMMAND_H
#define LOCKGRAPH_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct command_option {
    const char *name;     /* without dashes; NULL: only the letter exists */
    char letter;          /* 0: none */
    const char *argument; /* NULL: takes none */
    const char *help;     /* NULL: not in this version; `name` is refused by name */
};

struct command {
    const char *name;
    const char *summary;  /* one line for the list of commands */
    const char *synopsis; /* what follows "lockgraph NAME " */
    const char *description;
    const char *examples;                 /* lines, each indented by two */
    const struct command_option *options; /* ends with {0} */
    /* Called for each option in turn; false: the value is wrong, and `error`
     * (256 bytes) says what is right. */
    bool (*apply)(void *settings, const struct command_option *option, const char *value, char *error);
    bool operands_end_options; /* the first operand ends the options */
    bool symbolises;           /* takes symbol_path_options (symbol_paths.h), too */
    int (*run)(const struct command *command, int count, char **arguments);
};

extern const struct command run_command, report_command, explain_command, why_command, stat_command,
    suppress_command, diff_command, merge_command, export_command, learn_command, check_command,
    inspect_command, top_command, env_command, help_command;

/* Reads the options in arguments[0..count) into `settings`, moves the operands
 * to the front of `arguments` and returns their number.  Otherwise negative:
 * OPTIONS_HELP after the help was printed, OPTIONS_WRONG after one sentence to
 * the standard error. */
int command_options(const struct command *command, int count, char **arguments, void *settings);
#define OPTIONS_HELP  (-1)
#define OPTIONS_WRONG (-2)
/* The exit status for a negative result. */
int command_options_status(int result);

/* An option's value as a whole number from 1 to 1000000; as `apply` has it. */
bool command_count(const char *value, size_t *number, char *error);

/* What the options said about where symbols are; read-only once they were read. */
struct symbol_paths;
const struct symbol_paths *command_symbol_paths(void);

extern const struct command_option command_help_option; /* which each of them has */
/* At most 80 columns wide; line ends of a description are not kept, but before "Exit status:"
 * and lines that are indented. */
void command_print_help(const struct command *command);

/* "lockgraph: <sentence>\n" to the standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
