#include "format.h"
#include "suppress.h"

static const char *findings(struct pool *pool, size_t count) {
    return count == 1 ? "1 finding" : pool_printf(pool, "%zu findings", count);
}

static void add_use(struct text *out, struct model *model, const struct suppression *suppression,
                    size_t uses) {
    text_printf(out, "  %s:%u: ", suppression->file, suppression->line);
    text_add(out, uses ? findings(&model->pool, uses) : "unused");
    text_printf(out, ": %s", suppression->text);
    if (suppression->reason)
        text_printf(out, " # %s", suppression->reason);
    text_add(out, "\n");
}

/* What is unused is told in the report only: one run need not meet everything
 * that a file was written for. */
void format_suppressions(struct text *out, struct model *model, bool brief) {
    const struct suppressions *suppressions = model->suppressions;
    if (!suppressions)
        return;
    text_add(out, "Suppressions: ");
    for (size_t i = 0; i < suppressions->file_count; i++)
        text_printf(out, "%s%s", i ? ", " : "", suppressions->files[i]);
    text_printf(out, "; %s suppressed.\n", findings(&model->pool, model_count_suppressed(model)));
    for (size_t i = 0; !brief && i < suppressions->count; i++)
        add_use(out, model, &suppressions->list[i], model->suppression_uses[i]);
}
