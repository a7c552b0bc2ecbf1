/* `lockgraph learn`: evidence in, an order file out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "exit_code.h"
#include "inputs.h"
#include "learn_split.h"
#include "learn_text.h"
#include "output.h"
#include "seen.h"

struct settings {
    const char *output; /* NULL: the standard output */
};

static const struct command_option options[] = {
    {"output", 'o', "FILE", "write the order to FILE, which must not exist"},
    {0},
};

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    (void)option, (void)error;
    settings->output = value;
    return true;
}

/* What somebody settled by hand in an older one is not written over. */
static int write_out(const struct text *out, const char *file, int status) {
    if (output_write(out, file, "wxe"))
        return status;
    bool there = errno == EEXIST;
    complain("cannot write %s: %s%s", file ? file : "the order", strerror(errno),
             there ? "; write to another file and take over what is new" : "");
    return there ? EXIT_USAGE : EXIT_INTERNAL;
}

static int learn_from(const struct path_list *inputs, const struct settings *settings, bool all_found) {
    struct model *model = model_load(inputs->paths, inputs->count, &(struct model_options){0});
    int status = all_found && model->unreadable == 0 ? EXIT_CLEAN : EXIT_UNREADABLE;
    for (size_t i = 0; i < model->unreadable; i++)
        complain("%s", model->unreadable_why[i]);
    struct seen seen = learn_seen(model);
    struct text out = {0};
    if (seen.class_count == 0)
        complain("no lock was taken under another one: there is no order to learn");
    learn_text(&out, model, &seen);
    if (model->process_count)
        status = write_out(&out, settings->output, status);
    text_free(&out);
    model_free(model);
    return status;
}

static int learn(const struct command *command, int count, char **arguments) {
    struct settings settings = {0};
    struct pool pool = {0};
    struct path_list inputs = {0};
    int operands = command_options(command, count, arguments, &settings);
    int status = operands < 0 ? command_options_status(operands) : EXIT_CLEAN;
    if (operands >= 0) {
        bool all_found = inputs_gather(&pool, operands, arguments, &inputs);
        status = inputs.count ? learn_from(&inputs, &settings, all_found) : EXIT_UNREADABLE;
    }
    pool_free(&pool);
    return status;
}

const struct command learn_command = {
    .name = "learn",
    .summary = "write an order file from what runs showed",
    .synopsis = "[-o FILE] [DIR|FILE…]",
    .description =
        "Reads the evidence in DIR (default ./" DEFAULT_DATA_DIR
        ") or the FILEs given, and writes the order in which\n"
        "locks were taken as an order file: a level for each class, and what is to be settled by hand.\n"
        "Exit status: 0, 65 unreadable evidence, 2 usage or FILE cannot be written.",
    .examples = "  lockgraph learn -o lockgraph.order\n"
                "  lockgraph learn monday.data tuesday.data | less\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = learn,
};
