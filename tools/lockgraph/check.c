/* `lockgraph check`: whether what runs showed keeps a declared order. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check_json.h"
#include "check_text.h"
#include "command.h"
#include "exit_code.h"
#include "inputs.h"

static const struct {
    const char *name;
    void (*format)(struct text *out, const struct checked *checked);
} formats[] = {{"text", check_text}, {"json", check_json}};

struct settings {
    size_t format;
    const char *order_file; /* NULL: the default one */
    struct order order;
};

static const struct command_option options[] = {
    {"format", 0, "text|json", "form of what is told (default text)"},
    {"order", 0, "FILE", "the declared order (default ./" DEFAULT_ORDER ")"},
    {0},
};

static bool set_format(struct settings *settings, const char *value, char *error) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, value) == 0) {
            settings->format = i;
            return true;
        }
    snprintf(error, 256, "use text or json");
    return false;
}

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    if (strcmp(option->name, "format") == 0)
        return set_format(settings, value, error);
    settings->order_file = value;
    return true;
}

static int write_checked(struct model *model, const struct settings *settings, int status) {
    const struct order *order = &settings->order;
    struct seen seen = seen_in(model, order, NULL);
    struct checked checked = check_judge(model, &seen, order);
    struct text out = {0};
    if (checked.broken)
        status = EXIT_FINDINGS;
    formats[settings->format].format(&out, &checked);
    if (fwrite(text_string(&out), 1, out.length, stdout) != out.length || fflush(stdout) != 0) {
        complain("cannot write what was found: %s", strerror(errno));
        status = EXIT_INTERNAL;
    }
    text_free(&out);
    return status;
}

static int check_all(const struct path_list *inputs, const struct settings *settings, bool all_found) {
    struct model *model = model_load(inputs->paths, inputs->count, &(struct model_options){0});
    int status = all_found && model->unreadable == 0 ? EXIT_CLEAN : EXIT_UNREADABLE;
    for (size_t i = 0; i < model->unreadable; i++)
        complain("%s", model->unreadable_why[i]);
    if (model->process_count)
        status = write_checked(model, settings, status);
    model_free(model);
    return status;
}

static int check_with(struct pool *pool, struct settings *settings, int operands, char **arguments) {
    struct path_list inputs = {0};
    if (!order_load(pool, &settings->order, settings->order_file))
        return EXIT_USAGE;
    if (settings->order.file_count == 0) {
        complain("check: there is no ./" DEFAULT_ORDER
                 "; name a file with --order, or write one: lockgraph learn");
        return EXIT_USAGE;
    }
    bool all_found = inputs_gather(pool, operands, arguments, &inputs);
    return inputs.count ? check_all(&inputs, settings, all_found) : EXIT_UNREADABLE;
}

static int check(const struct command *command, int count, char **arguments) {
    struct settings settings = {0};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings);
    int status =
        operands < 0 ? command_options_status(operands) : check_with(&pool, &settings, operands, arguments);
    pool_free(&pool);
    return status;
}

const struct command check_command = {
    .name = "check",
    .summary = "compare what runs showed with an order file",
    .synopsis = "[--order FILE] [--format text|json] [DIR|FILE…]",
    .description =
        "Reads the evidence in DIR (default ./" DEFAULT_DATA_DIR
        ") or the FILEs given, and tells which pairs of\n"
        "classes break the declared order, what is new, and what was never exercised.\n"
        "Exit status: 0 nothing breaks it, 66 something does, 65 unreadable evidence, 2 usage or a mistake\n"
        "in the order file.",
    .examples = "  lockgraph check\n"
                "  lockgraph check --order server.order monday.data\n"
                "  lockgraph check --format json > check.json\n",
    .options = options,
    .apply = apply,
    .run = check,
};
