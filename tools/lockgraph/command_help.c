/* What `lockgraph help COMMAND` prints, from the command's descriptor. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "symbol_paths.h"
#include "text.h"

#define WIDTH      80
#define OPTION     28 /* columns of an option, which its help follows */
#define HELP_AT    (2 + OPTION + 1)
#define UNBREAKING '\x1f' /* stands for a space at which no line ends */

/* Alternatives in brackets stay together. */
static char *synopsis_of(struct pool *pool, const struct command *command) {
    char *synopsis = pool_string(pool, command->synopsis);
    int depth = 0;
    for (char *at = synopsis; *at; at++) {
        depth += (*at == '[') - (*at == ']');
        if (*at == ' ' && depth > 0)
            *at = UNBREAKING;
    }
    return synopsis;
}

static void add_usage(struct text *out, const struct command *command) {
    struct pool pool = {0};
    text_printf(out, "usage: lockgraph %s ", command->name);
    size_t column = out->length;
    text_wrap(out, synopsis_of(&pool, command), column, column, WIDTH);
    for (char *at = out->data; *at; at++)
        if (*at == UNBREAKING)
            *at = ' ';
    pool_free(&pool);
}

static bool begins_line(const char *text) {
    return *text == ' ' || *text == '\n' || *text == 0 || strncmp(text, "Exit status:", 12) == 0;
}

/* Lines of a descriptor are as its source has them: joined, but where one has to begin. */
static void add_description(struct text *out, const char *description) {
    struct pool pool = {0};
    char *lines = pool_string(&pool, description);
    for (char *at = lines, *end; *at; at = end) {
        for (end = at; *end && (*end != '\n' || !begins_line(end + 1)); end++)
            if (*end == '\n')
                *end = ' ';
        if (*end)
            *end++ = 0;
        text_wrap(out, at, 0, 0, WIDTH);
    }
    pool_free(&pool);
}

static void add_option(struct text *out, const struct command_option *option) {
    size_t start = out->length;
    text_add(out, "  ");
    if (option->letter)
        text_printf(out, "-%c%s", option->letter, option->name ? ", " : "");
    if (option->name)
        text_printf(out, "--%s", option->name);
    if (option->argument)
        text_printf(out, " %s", option->argument);
    size_t columns = text_width(out->data + start);
    if (columns >= HELP_AT) {
        text_add(out, "\n");
        columns = 0;
    }
    text_fill(out, ' ', HELP_AT - columns);
    text_wrap(out, option->help, HELP_AT, HELP_AT, WIDTH);
}

static void add_options(struct text *out, const struct command_option *option) {
    for (; option->name || option->letter; option++)
        if (option->help)
            add_option(out, option);
}

void command_print_help(const struct command *command) {
    struct text out = {0};
    add_usage(&out, command);
    text_add(&out, "\n");
    add_description(&out, command->description);
    text_add(&out, "\nOptions:\n");
    add_options(&out, command->options);
    add_option(&out, &command_help_option);
    if (command->symbolises) {
        text_add(&out, "\nWhere names and lines of code come from:\n");
        add_options(&out, symbol_path_options);
    }
    if (command->examples)
        text_printf(&out, "\nExamples:\n%s", command->examples);
    fputs(text_string(&out), stdout);
    text_free(&out);
}
