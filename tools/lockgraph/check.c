/* `lockgraph check`: whether what runs showed keeps a declared order, and what of it is
 * new. */
#include <stdio.h>
#include <string.h>

#include "check_baseline.h"
#include "check_json.h"
#include "check_text.h"
#include "command.h"
#include "data_dir.h"
#include "evidence.h"
#include "exit_code.h"
#include "kinds.h"
#include "summary_load.h"
#include "suppress.h"

static const struct {
    const char *name;
    void (*format)(struct text *out, const struct checked *checked);
} formats[] = {{"text", check_text}, {"json", check_json}};

struct settings {
    size_t format;
    const char *order_file; /* NULL: the default one */
    const char *baseline;   /* NULL: none */
    unsigned fail_on;
    bool fail_on_given;
    struct order order;
    struct suppressions suppressions;
};

static const struct command_option options[] = {
    {"format", 0, "text|json", "form of what is told (default text)"},
    {"order", 0, "FILE", "the declared order (default ./" DEFAULT_ORDER ")"},
    {"baseline", 0, "FILE", "fail on what is not in FILE: evidence, of one run or merged, or a JSON report"},
    {"fail-on", 0, "SEVERITY",
     "with --baseline: fail on what is new from this severity on: error (default), warning, note or never"},
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
    snprintf(error, 256, "use error, warning, note or never");
    if (strcmp(option->name, "fail-on") == 0) {
        settings->fail_on_given = true;
        return severity_parse(value, &settings->fail_on);
    }
    if (strcmp(option->name, "baseline") == 0)
        settings->baseline = value;
    else
        settings->order_file = value;
    return true;
}

static bool breaks_order(struct text *out, struct model *model, const struct settings *settings) {
    struct seen seen = seen_in(model, &settings->order, NULL);
    struct checked checked = check_judge(model, &seen, &settings->order);
    formats[settings->format].format(out, &checked);
    return checked.broken != 0;
}

/* Without an order file and without a baseline there is nothing to check. */
static int check_all(struct pool *pool, const struct settings *settings, int operands, char **arguments) {
    struct text out = {0};
    struct summary_side baseline = {0};
    int status = EXIT_CLEAN;
    if (settings->baseline && !summary_load(pool, settings->baseline, NULL, &baseline)) {
        summary_unload(&baseline);
        return EXIT_UNREADABLE;
    }
    struct model_options load = {.suppressions = &settings->suppressions};
    struct model *model = evidence_load(pool, operands, arguments, &load, &status);
    if (model && settings->order.file_count && breaks_order(&out, model, settings))
        status = EXIT_FINDINGS;
    if (model && settings->baseline &&
        check_baseline(&out, model, &baseline.summary, settings->baseline, settings->fail_on))
        status = EXIT_FINDINGS;
    if (settings->baseline) {
        summary_add_problems(&out, baseline.model, settings->baseline);
        summary_add_problems(&out, model, NULL);
    }
    if (model)
        model_free(model);
    summary_unload(&baseline);
    return evidence_print(&out, status);
}

static int check_with(struct pool *pool, struct settings *settings, int operands, char **arguments) {
    if (!order_load(pool, &settings->order, settings->order_file) ||
        !suppressions_load(pool, &settings->suppressions, NULL, 0))
        return EXIT_USAGE;
    if (settings->order.file_count == 0 && !settings->baseline) {
        complain("check: there is no ./" DEFAULT_ORDER
                 "; name a file with --order, or write one: lockgraph learn");
        return EXIT_USAGE;
    }
    if (settings->fail_on_given && !settings->baseline) {
        complain(
            "check: --fail-on is for what is new since a --baseline; against an order file all that breaks "
            "it counts");
        return EXIT_USAGE;
    }
    if (settings->baseline && formats[settings->format].format != check_text) {
        complain("check: --format json tells of an order only: leave --baseline out");
        return EXIT_USAGE;
    }
    return check_all(pool, settings, operands, arguments);
}

static int check(const struct command *command, int count, char **arguments) {
    struct settings settings = {.fail_on = LGR_ERROR};
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, &settings);
    int status =
        operands < 0 ? command_options_status(operands) : check_with(&pool, &settings, operands, arguments);
    pool_free(&pool);
    return status;
}

const struct command check_command = {
    .name = "check",
    .summary = "compare what runs showed with an order file, or with earlier runs",
    .synopsis = "[--order FILE] [--format text|json] [--baseline FILE] [--fail-on SEVERITY] [DIR|FILE…]",
    .description =
        "Reads the evidence in DIR (default ./" DEFAULT_DATA_DIR
        ") or the FILEs given, and tells which pairs of\n"
        "classes break the declared order, what is new, and what was never exercised. With --baseline it\n"
        "tells what was not there then: findings, pairs of classes, levels; an order file is not needed.\n"
        "Exit status: 0 nothing breaks the order and nothing new counts, 66 something, 65 unreadable\n"
        "evidence, 2 usage or a mistake in the order file.",
    .examples = "  lockgraph check\n"
                "  lockgraph check --baseline main.json\n"
                "  lockgraph check --order server.order monday.data\n"
                "  lockgraph check --format json > check.json\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = check,
};
