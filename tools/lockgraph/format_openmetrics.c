#include "format.h"
#include "record/openmetrics.h"
#include "usage.h"

static void put(void *to, const char *text, size_t length) { text_add_n(to, text, length); }

static struct lgr_process_metrics process_metrics(const struct model *model) {
    const struct coverage *sum = &model->coverage;
    return (struct lgr_process_metrics){
        .processes = sum->processes,
        .locks = sum->locks,
        .threads = sum->threads,
        .nested = sum->acquisitions_nested,
        .contended = sum->contended,
        .ordered_pairs = sum->edges,
        .unwrapped = sum->unwrapped,
        .dropped = sum->dropped,
        .findings = model_count_at_least(model, LGR_NOTE),
        .errors = model_count_of(model, LGR_ERROR),
    };
}

void format_openmetrics(struct text *out, struct model *model, const struct format_options *options) {
    (void)options;
    struct usages usages = usages_collect(model);
    struct lgr_class_metrics *classes = pool_array(&model->pool, usages.count, sizeof *classes);
    size_t count = 0;
    for (size_t i = 0; i < usages.count; i++)
        if (!usages.list[i].at)
            classes[count++] = (struct lgr_class_metrics){usages.list[i].class->name,
                                                          usages.list[i].class->id, usages.list[i].figures};
    struct lgr_metrics metrics = {
        .process = process_metrics(model), .classes = classes, .class_count = count, .holds = usages.holds};
    lgr_openmetrics(&metrics, put, out);
}
