#include "format.h"
#include "order_file.h"

void format_order(struct text *out, struct model *model, const struct format_options *options) {
    const struct order *order = options->order;
    if (!order || order->file_count == 0)
        return;
    text_add(out, "Order: ");
    for (size_t i = 0; i < order->file_count; i++)
        text_printf(out, "%s%s", i ? ", " : "", text_clean(&model->pool, order->files[i]));
    text_printf(out, "; %zu class%s declared.\n", order->class_count, order->class_count == 1 ? "" : "es");
}
