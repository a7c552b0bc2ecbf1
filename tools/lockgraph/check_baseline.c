#include "check_baseline.h"

#include "difference.h"
#include "format.h"
#include "ink.h"

static void add_in_full(struct text *out, struct model *model, const struct difference *difference,
                        unsigned fail_on) {
    struct format_options format = {.color = ink_wanted(stdout), .columns = ink_columns(stdout)};
    for (size_t i = 0; i < difference->new_count; i++) {
        if (difference->new_findings[i]->severity < fail_on)
            continue;
        text_add(out, "\n");
        format_text_finding(out, model, difference->new_findings[i]->finding, &format);
    }
}

bool check_baseline(struct text *out, struct model *model, const struct summary *before, const char *name,
                    unsigned fail_on) {
    struct summary now = summary_of_model(model);
    struct difference difference = difference_of(&model->pool, before, &now);
    bool fails = difference_fails(&difference, fail_on);
    text_printf(out, "lockgraph: %s against %s: ", fails ? "new" : "nothing new that counts",
                text_clean(&model->pool, name));
    difference_text(out, &difference, ink_wanted(stdout));
    add_in_full(out, model, &difference, fail_on);
    return fails;
}
