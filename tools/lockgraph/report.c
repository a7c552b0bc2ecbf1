/* `lockgraph report`: evidence in, a report out. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "data_dir.h"
#include "evidence.h"
#include "exit_code.h"
#include "format.h"
#include "ink.h"
#include "kinds.h"
#include "model.h"
#include "order_file.h"
#include "output.h"
#include "report_follow.h"
#include "suppress.h"

static const struct {
    const char *name;
    void (*format)(struct text *out, struct model *model, const struct format_options *options);
} formats[] = {
    {"text", format_text},   {"json", format_json},
    {"html", format_html},   {"svg", format_svg},
    {"dot", format_dot},     {"sarif", format_sarif},
    {"junit", format_junit}, {"openmetrics", format_openmetrics},
};
#define FORMATS "text|json|html|svg|dot|sarif|junit|openmetrics"

struct settings {
    size_t format;
    bool show_notes, strict, follow;
    unsigned fail_on;
    const char *output; /* NULL: the standard output */
    const char **suppression_files;
    size_t suppression_file_count;
    struct suppressions suppressions;
    const char *order_file; /* NULL: the default one */
    struct order order;
    struct order_graph_options graph;
    const char *depth, *source_root; /* NULL: not given */
};

static const struct command_option options[] = {
    {"format", 0, FORMATS, "form of the report (default text)"},
    {"show", 0, "notes", "show notes, too"},
    {"fail-on", 0, "SEVERITY", "exit 66 from this severity on: error (default), warning, note or never"},
    {"strict", 0, NULL, "notes become errors"},
    {"output", 'o', "FILE", "write the report to FILE"},
    {"suppressions", 0, "FILE",
     "leave out what FILE names (default ./" DEFAULT_SUPPRESSIONS " where it exists)"},
    {"order", 0, "FILE", "what FILE blesses is suppressed (default ./" DEFAULT_ORDER " where it exists)"},
    {"view", 0, "class|instance", "svg, dot: what is drawn as one (default class)"},
    {"focus", 0, "LOCK", "svg, dot: only what is near the locks of that name"},
    {"depth", 0, "N", "so many steps from them (default 1)"},
    {"source-root", 0, "DIR", "sarif: files below DIR are named from there (default .)"},
    {"follow", 0, NULL, "text, json: tell findings as they come, until the processes end"},
    {0},
};

static bool set_format(struct settings *settings, const char *value, char *error) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, value) == 0) {
            settings->format = i;
            return true;
        }
    snprintf(error, 256, "\"%.100s\" is not a form this version writes: use one of " FORMATS, value);
    return false;
}

static bool set_view(struct settings *settings, const char *value, char *error) {
    bool by_lock = strcmp(value, "instance") == 0;
    settings->graph.view = by_lock ? ORDER_BY_LOCK : ORDER_BY_CLASS;
    snprintf(error, 256, "use class or instance");
    return by_lock || strcmp(value, "class") == 0;
}

static bool set_depth(struct settings *settings, const char *value, char *error) {
    char *end;
    unsigned long depth = strtoul(value, &end, 10);
    settings->depth = value;
    settings->graph.depth = depth > 1000000 ? 1000000 : (unsigned)depth;
    snprintf(error, 256, "a number of steps is needed, like 2");
    return value[0] >= '0' && value[0] <= '9' && *end == 0;
}

static bool apply(void *target, const struct command_option *option, const char *value, char *error) {
    struct settings *settings = target;
    if (strcmp(option->name, "format") == 0)
        return set_format(settings, value, error);
    if (strcmp(option->name, "view") == 0)
        return set_view(settings, value, error);
    if (strcmp(option->name, "depth") == 0)
        return set_depth(settings, value, error);
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
    else if (strcmp(option->name, "focus") == 0)
        settings->graph.focus = value;
    else if (strcmp(option->name, "source-root") == 0)
        settings->source_root = value;
    else if (strcmp(option->name, "strict") == 0)
        settings->strict = true;
    else if (strcmp(option->name, "follow") == 0)
        settings->follow = true;
    else
        settings->output = value;
    return true;
}

/* ---- output ---- */

static bool write_out(const struct text *out, const char *file) {
    bool written = output_write(out, file, "we");
    if (!written)
        complain("cannot write %s: %s", file ? file : "the report", strerror(errno));
    return written;
}

/* EXIT_CLEAN when it was written. */
static int print_report(struct model *model, const struct settings *settings) {
    struct text out = {0};
    char failure[FORMAT_FAILURE] = "", root[PATH_MAX];
    struct format_options format = {.order = &settings->order,
                                    .color = !settings->output && ink_wanted(stdout),
                                    .columns = settings->output ? 0 : ink_columns(stdout),
                                    .show_notes = settings->show_notes || settings->strict,
                                    .graph = settings->graph,
                                    .fail_on = settings->fail_on,
                                    .source_root =
                                        realpath(settings->source_root ? settings->source_root : ".", root),
                                    .failure = failure};
    formats[settings->format].format(&out, model, &format);
    int status = failure[0] ? EXIT_USAGE : write_out(&out, settings->output) ? EXIT_CLEAN : EXIT_INTERNAL;
    if (failure[0])
        complain("report: %s", failure);
    text_free(&out);
    return status;
}

static int report_on(struct pool *pool, const struct settings *settings, int operands, char **arguments) {
    struct model_options load = {.strict = settings->strict, .suppressions = &settings->suppressions};
    int status = EXIT_CLEAN;
    struct model *model = evidence_load(pool, operands, arguments, &load, &status);
    if (!model)
        return EXIT_UNREADABLE;
    int printed = print_report(model, settings);
    if (printed != EXIT_CLEAN)
        status = printed;
    else if (model_count_at_least(model, settings->fail_on))
        status = EXIT_FINDINGS;
    model_free(model);
    return status;
}

static int follow_on(const struct settings *settings, int operands, char **arguments) {
    struct follow follow = {.count = operands,
                            .operands = arguments,
                            .json = strcmp(formats[settings->format].name, "json") == 0,
                            .strict = settings->strict,
                            .fail_on = settings->fail_on,
                            .output = settings->output,
                            .suppressions = &settings->suppressions,
                            .format = {.order = &settings->order,
                                       .color = !settings->output && ink_wanted(stdout),
                                       .columns = settings->output ? 0 : ink_columns(stdout),
                                       .show_notes = settings->show_notes || settings->strict}};
    return report_follow(&follow);
}

static int report_with(struct pool *pool, struct settings *settings, int operands, char **arguments) {
    if (!suppressions_load(pool, &settings->suppressions, settings->suppression_files,
                           settings->suppression_file_count) ||
        !order_load(pool, &settings->order, settings->order_file))
        return EXIT_USAGE;
    bless_in_suppressions(pool, &settings->order, &settings->suppressions);
    return settings->follow ? follow_on(settings, operands, arguments)
                            : report_on(pool, settings, operands, arguments);
}

/* What one option says must not be without effect for want of another one. */
static bool fits_together(const struct settings *settings) {
    const char *format = formats[settings->format].name;
    bool picture = strcmp(format, "svg") == 0 || strcmp(format, "dot") == 0;
    const struct order_graph_options *graph = &settings->graph;
    if (!picture && (graph->focus || settings->depth || graph->view != ORDER_BY_CLASS))
        complain("report: --view, --focus and --depth are for --format svg and dot");
    else if (settings->depth && !graph->focus)
        complain("report: --depth counts from --focus LOCK, which is not given");
    else if (settings->follow && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        complain("report: --follow is for --format text and json");
    else if (settings->source_root && strcmp(format, "sarif") != 0)
        complain("report: --source-root is for --format sarif");
    else
        return true;
    return false;
}

static int report(const struct command *command, int count, char **arguments) {
    struct settings settings = {.fail_on = LGR_ERROR, .graph.depth = 1};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings), status = EXIT_USAGE;
    if (operands < 0)
        status = command_options_status(operands);
    else if (fits_together(&settings))
        status = report_with(&pool, &settings, operands, arguments);
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
        "Exit status: 0 nothing at or above --fail-on, 66 something, 65 unreadable evidence, 2 usage, a\n"
        "mistake in a suppression or order file, or --format svg without Graphviz.",
    .examples = "  lockgraph report\n"
                "  lockgraph report --show notes lockgraph.data\n"
                "  lockgraph report --follow /var/lib/server/lockgraph.data\n"
                "  lockgraph report --format json -o report.json\n"
                "  lockgraph report --format html -o report.html\n"
                "  lockgraph report --format svg --focus 'session*' -o order.svg\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = report,
};
