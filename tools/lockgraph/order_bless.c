/* Blessings of an order file as suppressions. */
#include <string.h>

#include "order_file.h"
#include "suppress.h"

static struct suppression blessing(struct pool *pool, const struct order_pair *pair) {
    return (struct suppression){
        .file = pair->place.file,
        .line = pair->place.line,
        .text = pool_printf(pool, "bless %s %s", pair->names[0], pair->names[1]),
        .reason = pair->reason,
        .kind = "*",
        .blessed = {pair->names[0], pair->names[1]},
    };
}

static void add_files(struct pool *pool, const struct order *order, struct suppressions *suppressions) {
    const char **files = pool_array(pool, suppressions->file_count + 1, sizeof *files);
    if (suppressions->file_count)
        memcpy(files, suppressions->files, suppressions->file_count * sizeof *files);
    files[suppressions->file_count++] = order->blessings[0].place.file;
    suppressions->files = files;
}

void bless_in_suppressions(struct pool *pool, const struct order *order, struct suppressions *suppressions) {
    if (order->bless_count == 0)
        return;
    struct suppression *list = pool_array(pool, suppressions->count + order->bless_count, sizeof *list);
    if (suppressions->count)
        memcpy(list, suppressions->list, suppressions->count * sizeof *list);
    for (size_t i = 0; i < order->bless_count; i++)
        list[suppressions->count++] = blessing(pool, &order->blessings[i]);
    suppressions->list = list;
    add_files(pool, order, suppressions);
}
