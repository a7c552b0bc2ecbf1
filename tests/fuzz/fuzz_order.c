/* Feeds the parser of order files arbitrary bytes; what it accepts must be a consistent
 * order. */
#include <string.h>

#include "order_file.h"
#include "replay.h"

static void must(bool holds) {
    if (!holds)
        abort();
}

static void look(const struct order *order) {
    for (size_t first = 0; first < order->class_count; first++) {
        must(order_class_named(order, order->classes[first].name) == first);
        must(!order_precedes(order, first, first));
        for (size_t second = 0; second < order->class_count; second++)
            must(!order_precedes(order, first, second) || !order_precedes(order, second, first));
    }
    for (size_t i = 0; i < order->rule_count; i++)
        must(order->rules[i].class_index < order->class_count);
    for (size_t i = 0; i < order->before_count; i++)
        must(order_precedes(order, order->befores[i].classes[0], order->befores[i].classes[1]));
    for (size_t i = 0; i < order->bless_count; i++)
        must(order_blessing(order, order->blessings[i].classes[1], order->blessings[i].classes[0]) != NULL &&
             order->blessings[i].reason[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pool pool = {0};
    struct order order = {0};
    struct text errors = {0};
    struct order_source source = {.pool = &pool, .order = &order, .file = "fuzz", .errors = &errors};
    if (size > 20000) /* many classes take long together */
        return 0;
    order_parse(&source, (const char *)data, size);
    bool right = order_settle(&source);
    must(right == (errors.length == 0) && right == (source.wrong == 0));
    if (right)
        look(&order);
    text_free(&errors);
    pool_free(&pool);
    return 0;
}
