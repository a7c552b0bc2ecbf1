/* `lockgraph report`: evidence in, a report out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "data_dir.h"
#include "exit_code.h"
#include "format.h"
#include "ink.h"
#include "inputs.h"
#include "kinds.h"
#include "model.h"
#include "order_file.h"
#include "suppress.h"

static const struct {
    const char *name;
    void (*format)(struct text *out, struct model *model, const struct format_options *options);
} formats[] = {
    {"text", format_text}, {"json", format_json}, {"html", format_html}, {"openmetrics", format_openmetrics}};

struct settings {
    size_t format;
    bool show_notes, strict;
    unsigned fail_on;
    const char *output; /* NULL: the standard output */
    const char **suppression_files;
    size_t suppression_file_count;
    struct suppressions suppressions;
    const char *order_file; /* NULL: the default one */
    struct order order;
};

static const struct command_option options[] = {
    {"format", 0, "text|json|html|openmetrics", "form of the report (default text)"},
    {"show", 0, "notes", "show notes, too"},
    {"fail-on", 0, "SEVERITY", "exit 66 from this severity on: error (default), warning, note or never"},
    {"strict", 0, NULL, "notes become errors"},
    {"output", 'o', "FILE", "write the report to FILE"},
    {"suppressions", 0, "FILE",
     "leave out what FILE names (default ./" DEFAULT_SUPPRESSIONS " where it exists)"},
    {"order", 0, "FILE", "what FILE blesses is suppressed (default ./" DEFAULT_ORDER " where it exists)"},
    {"follow", 0, NULL, NULL},
    {0},
};

static bool set_format(struct settings *settings, const char *value, char *error) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, value) == 0) {
            settings->format = i;
            return true;
        }
    snprintf(error, 256, "\"%s\" is not a form this version writes: use text, json, html or openmetrics",
             value);
    return false;
}

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    if (strcmp(option->name, "format") == 0)
        return set_format(settings, value, error);
    if (strcmp(option->name, "show") == 0) {
        settings->show_notes = strcmp(value, "notes") == 0;
        snprintf(error, 256, "only \"notes\" can be shown");
        return settings->show_notes;
    }
    if (strcmp(option->name, "fail-on") == 0) {
        snprintf(error, 256, "use error, warning, note or never");
        return severity_parse(value, &settings->fail_on);
    }
    if (strcmp(option->name, "suppressions") == 0) {
        settings->suppression_files =
            checked_resize(settings->suppression_files, settings->suppression_file_count + 1, sizeof(char *));
        settings->suppression_files[settings->suppression_file_count++] = value;
    } else if (strcmp(option->name, "order") == 0)
        settings->order_file = value;
    else if (strcmp(option->name, "strict") == 0)
        settings->strict = true;
    else
        settings->output = value;
    return true;
}

/* ---- output ---- */

static bool write_out(const struct text *out, const char *file) {
    FILE *stream = file ? fopen(file, "we") : stdout;
    bool written = stream && fwrite(text_string(out), 1, out->length, stream) == out->length;
    if (stream && (file ? fclose(stream) : fflush(stream)) != 0)
        written = false;
    if (!written)
        complain("cannot write %s: %s", file ? file : "the report", strerror(errno));
    return written;
}

static bool print_report(struct model *model, const struct settings *settings) {
    struct text out = {0};
    struct format_options format = {.order = &settings->order,
                                    .color = !settings->output && ink_wanted(stdout),
                                    .show_notes = settings->show_notes || settings->strict};
    formats[settings->format].format(&out, model, &format);
    bool written = write_out(&out, settings->output);
    text_free(&out);
    return written;
}

static int report_on(const struct path_list *inputs, const struct settings *settings, bool all_found) {
    struct model_options load = {.strict = settings->strict, .suppressions = &settings->suppressions};
    struct model *model = model_load(inputs->paths, inputs->count, &load);
    int status = all_found && model->unreadable == 0 ? EXIT_CLEAN : EXIT_UNREADABLE;
    for (size_t i = 0; i < model->unreadable; i++)
        complain("%s", model->unreadable_why[i]);
    if (model->process_count && !print_report(model, settings))
        status = EXIT_INTERNAL;
    else if (model_count_at_least(model, settings->fail_on))
        status = EXIT_FINDINGS;
    model_free(model);
    return status;
}

static int report_with(struct pool *pool, struct settings *settings, int operands, char **arguments) {
    struct path_list inputs = {0};
    if (!suppressions_load(pool, &settings->suppressions, settings->suppression_files,
                           settings->suppression_file_count) ||
        !order_load(pool, &settings->order, settings->order_file))
        return EXIT_USAGE;
    bless_in_suppressions(pool, &settings->order, &settings->suppressions);
    bool all_found = inputs_gather(pool, operands, arguments, &inputs);
    return inputs.count ? report_on(&inputs, settings, all_found) : EXIT_UNREADABLE;
}

static int report(const struct command *command, int count, char **arguments) {
    struct settings settings = {.fail_on = LGR_ERROR};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings);
    int status =
        operands < 0 ? command_options_status(operands) : report_with(&pool, &settings, operands, arguments);
    pool_free(&pool);
    free(settings.suppression_files);
    return status;
}

const struct command report_command = {
    .name = "report",
    .summary = "tell what a run found",
    .synopsis = "[options] [DIR|FILE…]",
    .description =
        "Reads the evidence in DIR (default ./" DEFAULT_DATA_DIR ") or the FILEs given, of finished,\n"
        "killed or still running processes, and tells what was found: most severe first.\n"
        "Exit status: 0 nothing at or above --fail-on, 66 something, 65 unreadable evidence, 2 usage or a\n"
        "mistake in a suppression or order file.",
    .examples = "  lockgraph report\n"
                "  lockgraph report --show notes lockgraph.data\n"
                "  lockgraph report --format json -o report.json\n"
                "  lockgraph report --format html -o report.html\n",
    .options = options,
    .apply = apply,
    .run = report,
};
