/* Names become classes; levels and pairs become one order, which must not contradict
 * itself. */
#include <stdint.h>
#include <string.h>

#include "model.h"
#include "order_file.h"

static size_t need_class(struct order_source *source, const char *name, const struct order_place *place) {
    size_t found = order_class_named(source->order, name);
    if (found == SIZE_MAX)
        order_mistake(source, place, "no class is called \"%s\"; declare it: level NUMBER %s, or class %s",
                      name, name, name);
    return found;
}

static void settle_names(struct order_source *source) {
    struct order *order = source->order;
    for (size_t i = 0; i < order->rule_count; i++)
        order->rules[i].class_index = need_class(source, order->rules[i].class_name, &order->rules[i].place);
    for (size_t i = 0; i < order->before_count; i++)
        for (size_t k = 0; k < 2; k++)
            order->befores[i].classes[k] =
                need_class(source, order->befores[i].names[k], &order->befores[i].place);
    for (size_t i = 0; i < order->bless_count; i++)
        for (size_t k = 0; k < 2; k++)
            order->blessings[i].classes[k] =
                need_class(source, order->blessings[i].names[k], &order->blessings[i].place);
}

static void settle_same(struct order_source *source, const struct order_same *same) {
    size_t index = need_class(source, same->name, &same->place);
    if (index == SIZE_MAX)
        return;
    struct order_class *class = &source->order->classes[index];
    if (class->nested_at.line)
        order_mistake(source, &same->place, "how %s nests is said already, at %s:%u; drop one of the lines",
                      class->name, class->nested_at.file, class->nested_at.line);
    else if (class->level == NO_LEVEL)
        order_mistake(source, &same->place,
                      "%s has no level, so its locks may nest as they like; give it one: level NUMBER %s",
                      class->name, class->name);
    class->nesting = same->nesting;
    class->nested_at = same->place;
}

/* ---- the order ---- */

static bool leveled(const struct order *order, size_t first, size_t second) {
    int one = order->classes[first].level, other = order->classes[second].level;
    return one != NO_LEVEL && other != NO_LEVEL && one < other;
}

bool order_precedes(const struct order *order, size_t first, size_t second) {
    return order->precedes[first * order->class_count + second];
}

static void complete(struct order *order) {
    size_t count = order->class_count;
    for (size_t by = 0; by < count; by++)
        for (size_t first = 0; first < count; first++) {
            if (!order->precedes[first * count + by])
                continue;
            for (size_t second = 0; second < count; second++)
                order->precedes[first * count + second] |= order->precedes[by * count + second];
        }
}

/* What the file says from `from` to `to`, step by step, as the end of a sentence: the
 * shortest such chain. */
static const char *chain(struct order_source *source, size_t from, size_t to) {
    const struct order *order = source->order;
    size_t count = order->class_count, *queue = pool_array(source->pool, count, sizeof *queue);
    const char **words = pool_array(source->pool, count, sizeof *words);
    size_t head = 0, tail = 0;
    queue[tail++] = from;
    words[from] = "";
    while (head < tail && !(from != to && words[to])) {
        size_t at = queue[head++];
        for (size_t i = 0; i < order->before_count; i++) {
            const struct order_pair *pair = &order->befores[i];
            if (pair->classes[0] == at && !words[pair->classes[1]]) {
                words[pair->classes[1]] =
                    pool_printf(source->pool, "%s%sline %u puts %s before %s", words[at],
                                *words[at] ? ", " : "", pair->place.line, pair->names[0], pair->names[1]);
                queue[tail++] = pair->classes[1];
            }
        }
        for (size_t next = 0; next < count; next++)
            if (leveled(order, at, next) && !words[next]) {
                words[next] =
                    pool_printf(source->pool, "%s%s%s has level %d and %s %d", words[at],
                                *words[at] ? ", " : "", order->classes[at].name, order->classes[at].level,
                                order->classes[next].name, order->classes[next].level);
                queue[tail++] = next;
            }
    }
    return words[to] ? words[to] : "";
}

static bool same_level(const struct order *order, const struct order_pair *pair) {
    int level = order->classes[pair->classes[0]].level;
    return level != NO_LEVEL && level == order->classes[pair->classes[1]].level;
}

/* A pair is told once: the last of its ring in the file closes it. */
static void look_for_rings(struct order_source *source) {
    const struct order *order = source->order;
    for (size_t i = 0; i < order->before_count; i++) {
        const struct order_pair *pair = &order->befores[i];
        if (pair->classes[0] == pair->classes[1])
            order_mistake(source, &pair->place, "%s cannot come before itself; use same %s by address",
                          pair->names[0], pair->names[0]);
        else if (same_level(order, pair))
            order_mistake(source, &pair->place,
                          "%s and %s share level %d, so neither may be taken under the other; give %s a "
                          "higher one",
                          pair->names[0], pair->names[1], order->classes[pair->classes[0]].level,
                          pair->names[1]);
        else if (order_precedes(order, pair->classes[1], pair->classes[0]))
            order_mistake(source, &pair->place, "%s cannot come before %s: %s; drop one of these",
                          pair->names[0], pair->names[1], chain(source, pair->classes[1], pair->classes[0]));
    }
}

static void settle_order(struct order_source *source) {
    struct order *order = source->order;
    size_t count = order->class_count;
    order->precedes = pool_array(source->pool, count * count + 1, sizeof *order->precedes);
    for (size_t first = 0; first < count; first++)
        for (size_t second = 0; second < count; second++)
            order->precedes[first * count + second] = leveled(order, first, second);
    for (size_t i = 0; i < order->before_count; i++)
        order->precedes[order->befores[i].classes[0] * count + order->befores[i].classes[1]] = true;
    complete(order);
    look_for_rings(source);
}

bool order_settle(struct order_source *source) {
    if (source->wrong)
        return false; /* what is missing because of that would be told, too */
    settle_names(source);
    for (size_t i = 0; i < source->order->same_count; i++)
        settle_same(source, &source->order->sames[i]);
    if (source->wrong == 0)
        settle_order(source);
    return source->wrong == 0;
}

const struct order_pair *order_blessing(const struct order *order, size_t one, size_t other) {
    for (size_t i = 0; i < order->bless_count; i++) {
        const struct order_pair *pair = &order->blessings[i];
        if ((pair->classes[0] == one && pair->classes[1] == other) ||
            (pair->classes[0] == other && pair->classes[1] == one))
            return pair;
    }
    return NULL;
}
