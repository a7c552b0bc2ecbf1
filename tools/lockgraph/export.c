/* `lockgraph export`: evidence in, what other tools read out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "data_dir.h"
#include "evidence.h"
#include "exit_code.h"
#include "export.h"
#include "output.h"

#define FORMATS "folded|perfetto|sqlite"

static const struct {
    const char *name;
    void (*write)(struct text *out, struct model *model); /* NULL: sqlite, which is no text */
} formats[] = {{"folded", export_folded}, {"perfetto", export_trace}, {"sqlite", NULL}};
enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

struct settings {
    size_t format; /* FORMAT_COUNT: not given */
    const char *output;
};

static const struct command_option options[] = {
    {"format", 0, FORMATS, "what is written"},
    {"output", 'o', "FILE", "where (default: the standard output; sqlite needs a file)"},
    {0},
};

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    if (strcmp(option->name, "output") == 0) {
        settings->output = value;
        return true;
    }
    for (settings->format = 0; settings->format < FORMAT_COUNT; settings->format++)
        if (strcmp(formats[settings->format].name, value) == 0)
            return true;
    snprintf(error, 256, "\"%.100s\" is not a form this version writes: use one of " FORMATS, value);
    return false;
}

static bool write_text(const struct text *out, const char *file) {
    bool written = output_write(out, file, "we");
    if (!written)
        complain("export: cannot write %s: %s", file ? file : "the standard output", strerror(errno));
    return written;
}

static bool write_database(struct model *model, const char *file) {
    char error[256];
    bool written = export_sqlite(model, file, error);
    if (!written)
        complain("export: cannot write %s: %s", file, error);
    return written;
}

static bool write_model(struct model *model, const struct settings *settings) {
    struct text out = {0};
    if (!formats[settings->format].write)
        return write_database(model, settings->output);
    formats[settings->format].write(&out, model);
    if (out.length == 0 && model_merged_files(model))
        complain("export: merged files keep no figures of waits: fold the evidence before it is merged");
    else if (out.length == 0)
        complain("export: nobody waited for a lock long enough to be timed: there is nothing to fold");
    bool written = write_text(&out, settings->output);
    text_free(&out);
    return written;
}

static int export_from(struct pool *pool, const struct settings *settings, int operands, char **arguments) {
    int status = EXIT_CLEAN;
    struct model *model = evidence_load(pool, operands, arguments, &(struct model_options){0}, &status);
    if (!model)
        return EXIT_UNREADABLE;
    if (!write_model(model, settings))
        status = EXIT_INTERNAL;
    model_free(model);
    return status;
}

static bool is_complete(const struct settings *settings) {
    if (settings->format == FORMAT_COUNT)
        complain("export: --format is needed: one of " FORMATS);
    else if (!formats[settings->format].write && !settings->output)
        complain("export: a database needs a file: -o FILE");
    else
        return true;
    return false;
}

static int export(const struct command *command, int count, char **arguments) {
    struct settings settings = {.format = FORMAT_COUNT};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings), status = EXIT_USAGE;
    if (operands < 0)
        status = command_options_status(operands);
    else if (is_complete(&settings))
        status = export_from(&pool, &settings, operands, arguments);
    pool_free(&pool);
    return status;
}

const struct command export_command = {
    .name = "export",
    .summary = "write the evidence for other tools",
    .synopsis = "--format " FORMATS " [-o FILE] [DIR|FILE…]",
    .description =
        "Writes what the evidence in DIR (default ./" DEFAULT_DATA_DIR ") or the FILEs given holds, for\n"
        "flame graphs (folded: stacks by nanoseconds waited), for a time line (perfetto: JSON that\n"
        "Perfetto and Chrome read), or as a database (sqlite).\n"
        "Exit status: 0 written, 65 unreadable evidence, 70 it cannot be written, 2 usage.",
    .examples = "  lockgraph export --format folded | flamegraph.pl --countname ns > waits.svg\n"
                "  lockgraph export --format perfetto -o waits.json\n"
                "  lockgraph export --format sqlite -o locks.db\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = export,
};
