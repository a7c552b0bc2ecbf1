/* `lockgraph suppress`: adds one line to a file of suppressions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "data_dir.h"
#include "evidence.h"
#include "exit_code.h"
#include "file_text.h"
#include "finding_pick.h"
#include "kinds.h"
#include "suppress.h"

struct settings {
    const char *reason, *file;
};

static const struct command_option options[] = {
    {"reason", 0, "TEXT", "why it may stay; needed"},
    {"output", 'o', "FILE", "the file to add to (default ./" DEFAULT_SUPPRESSIONS ")"},
    {0},
};

static bool is_reason(const char *text) {
    bool said = false;
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 127)
            return false;
        said |= *at != ' ';
    }
    return said;
}

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    if (strcmp(option->name, "output") == 0) {
        settings->file = value;
        return true;
    }
    snprintf(error, 256, "say in one line of text why the finding may stay");
    settings->reason = value;
    return is_reason(value);
}

/* What the file says already; one that does not exist yet says nothing. */
static bool read_existing(struct pool *pool, const char *file, struct suppressions *known) {
    return access(file, F_OK) != 0 || suppressions_load(pool, known, &file, 1);
}

/* The file may end without a newline. */
static bool lacks_newline(const char *file) {
    struct text content = {0};
    bool lacks = file_text(file, &content) && content.length && content.data[content.length - 1] != '\n';
    text_free(&content);
    return lacks;
}

static bool append(const char *file, const char *line) {
    const char *before = lacks_newline(file) ? "\n" : "";
    FILE *stream = fopen(file, "ae");
    bool written = stream && fprintf(stream, "%s%s\n", before, line) > 0;
    if (stream && fclose(stream) != 0)
        written = false;
    if (!written)
        complain("suppress: cannot write %s: %s", file, strerror(errno));
    return written;
}

static int add(struct model *model, const struct model_finding *finding, const struct settings *settings,
               struct text *out, int status) {
    const char *file = text_clean(&model->pool, settings->file);
    if (finding->suppression) {
        text_printf(out, "%s is suppressed already, by %s:%u: %s\n", finding->id, finding->suppression->file,
                    finding->suppression->line, finding->suppression->text);
        return status;
    }
    const char *line =
        pool_printf(&model->pool, "%s id:%s # %s", kind_name(finding->kind), finding->id, settings->reason);
    if (!append(settings->file, line))
        return EXIT_INTERNAL;
    text_printf(out, "Suppressed in %s: %s\n  %s\n", file, finding->title, line);
    return status;
}

static int suppress_in(struct pool *pool, const struct settings *settings, int operands, char **arguments) {
    struct suppressions known = {0};
    int status = EXIT_CLEAN;
    if (!finding_prefix_fits("suppress", arguments[0]) || !read_existing(pool, settings->file, &known))
        return EXIT_USAGE;
    struct model_options load = {.suppressions = &known};
    struct model *model = evidence_load(pool, operands - 1, arguments + 1, &load, &status);
    if (!model)
        return EXIT_UNREADABLE;
    struct text out = {0};
    const struct model_finding *finding = finding_pick(model, "suppress", arguments[0]);
    status = finding ? add(model, finding, settings, &out, status) : EXIT_USAGE;
    model_free(model);
    return evidence_print(&out, status);
}

static int suppress(const struct command *command, int count, char **arguments) {
    struct settings settings = {.file = DEFAULT_SUPPRESSIONS};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings), status = EXIT_USAGE;
    if (operands < 0)
        return command_options_status(operands);
    if (operands == 0)
        complain("suppress: which finding? Give its id: lockgraph suppress ID --reason TEXT");
    else if (!settings.reason)
        complain("suppress: the reason is missing; give it: --reason \"why it may stay\"");
    else
        status = suppress_in(&pool, &settings, operands, arguments);
    pool_free(&pool);
    return status;
}

const struct command suppress_command = {
    .name = "suppress",
    .summary = "leave one finding out of later reports",
    .synopsis = "ID --reason TEXT [-o FILE] [DIR|FILE…]",
    .description =
        "Adds the line to ./" DEFAULT_SUPPRESSIONS
        " that suppresses just the finding whose id begins with ID. It\n"
        "holds until the functions change in which its locks are taken; lockgraph-suppressions(5) tells\n"
        "what outlives that. The evidence is in DIR (default ./" DEFAULT_DATA_DIR ") or the FILEs.\n"
        "Exit status: 0 added, or suppressed already; 2 wrong usage, no such finding, or a mistake in the\n"
        "file; 65 unreadable evidence.",
    .examples = "  lockgraph suppress 16caaf5721c2 --reason \"flush() runs before workers start\"\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = suppress,
};
