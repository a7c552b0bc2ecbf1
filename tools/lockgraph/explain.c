/* `lockgraph explain`: one finding in full. */
#include "command.h"
#include "data_dir.h"
#include "evidence.h"
#include "exit_code.h"
#include "finding_pick.h"
#include "format.h"
#include "ink.h"
#include "suppress.h"

static const struct command_option options[] = {{0}};

static bool apply(void *settings, const struct command_option *option, const char *value, char *error) {
    (void)settings, (void)option, (void)value, (void)error;
    return true;
}

static void add_finding(struct text *out, struct model *model, const struct model_finding *finding) {
    struct format_options format = {
        .color = ink_wanted(stdout), .columns = ink_columns(stdout), .show_notes = true};
    const struct suppression *known = finding->suppression;
    format_text_finding(out, model, finding, &format);
    if (known)
        text_printf(out, "Suppressed by %s:%u: %s # %s\n", known->file, known->line, known->text,
                    known->reason ? known->reason : "");
}

static int explain_in(struct pool *pool, const char *prefix, int operands, char **arguments) {
    struct suppressions suppressions = {0};
    if (!finding_prefix_fits("explain", prefix) || !suppressions_load(pool, &suppressions, NULL, 0))
        return EXIT_USAGE;
    int status = EXIT_CLEAN;
    struct model_options load = {.suppressions = &suppressions};
    struct model *model = evidence_load(pool, operands, arguments, &load, &status);
    if (!model)
        return EXIT_UNREADABLE;
    const struct model_finding *finding = finding_pick(model, "explain", prefix);
    struct text out = {0};
    if (finding)
        add_finding(&out, model, finding);
    model_free(model);
    return evidence_print(&out, finding ? status : EXIT_USAGE);
}

static int explain(const struct command *command, int count, char **arguments) {
    struct pool pool = {0};
    int operands = command_options(command, count, arguments, NULL), status = EXIT_USAGE;
    if (operands < 0)
        return command_options_status(operands);
    if (operands == 0)
        complain("explain: which finding? Give its id, or the first digits of it: lockgraph explain ID");
    else
        status = explain_in(&pool, arguments[0], operands - 1, arguments + 1);
    pool_free(&pool);
    return status;
}

const struct command explain_command = {
    .name = "explain",
    .summary = "tell one finding in full",
    .synopsis = "[options] ID [DIR|FILE…]",
    .description =
        "Tells the finding whose id begins with ID, as reports print it, with all its stacks: also a note,\n"
        "or one that ./" DEFAULT_SUPPRESSIONS
        " leaves out. The evidence is in DIR (default ./" DEFAULT_DATA_DIR ") or the FILEs.\n"
        "Exit status: 0 told, 2 no finding or several have such an id, 65 unreadable evidence.",
    .examples = "  lockgraph explain 16caaf5721c2\n"
                "  lockgraph explain 16c monday.data\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = explain,
};
