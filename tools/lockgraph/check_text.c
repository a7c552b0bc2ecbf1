#include "check_text.h"

#include <stdint.h>

#include "order_words.h"

static struct pool *pool_of(const struct checked *checked) { return &checked->model->pool; }

static const char *label(const struct checked *checked, size_t class) {
    const struct order_class *known = checked_class(checked, class);
    const char *name = checked_name(checked, class);
    return known && known->level != NO_LEVEL
               ? pool_printf(pool_of(checked), "%s (level %d)", name, known->level)
               : name;
}

static void add_pair(struct text *out, const struct checked *checked, const struct seen_pair *pair) {
    struct pool *pool = pool_of(checked);
    text_printf(out, "  %s is taken under %s", label(checked, pair->to), label(checked, pair->from));
    text_printf(out, ", at %s\n", order_count(pool, pair->sightings, "place", "places"));
    text_printf(out, "      %s\n",
                order_sites(pool, checked_held_at(checked, pair), checked_requested_at(checked, pair)));
}

static void add_pairs(struct text *out, const struct checked *checked, enum check_verdict verdict,
                      const char *heading) {
    if (checked_count(checked, verdict) == 0)
        return;
    text_printf(out, "\n%s\n", heading);
    for (size_t i = 0; i < checked->seen->pair_count; i++) {
        const struct seen_pair *pair = &checked->seen->pairs[i];
        if (checked->verdicts[i] != verdict)
            continue;
        add_pair(out, checked, pair);
        if (verdict == CHECK_BREAKS)
            text_printf(out, "      %s\n", checked_reason(checked, pair));
        if (verdict == CHECK_BLESSED)
            text_printf(out, "      blessed: %s\n", checked_blessing(checked, pair));
    }
}

/* ---- what is new, what was never seen ---- */

static size_t new_classes(const struct checked *checked) {
    size_t count = 0;
    for (size_t i = 0; i < checked->seen->class_count; i++)
        count += checked->seen->classes[i].declared == SIZE_MAX;
    return count;
}

static void add_new_classes(struct text *out, const struct checked *checked) {
    if (new_classes(checked))
        text_add(out, "\nNew: classes that the order does not declare\n");
    for (size_t i = 0; i < checked->seen->class_count; i++) {
        const struct seen_class *class = &checked->seen->classes[i];
        if (class->declared != SIZE_MAX)
            continue;
        text_printf(out, "  %s\n", class->what->name);
        if (class->rule && !class->guessed)
            text_printf(out, "      lock NAME %s\n", class->rule);
        else if (class->use_rule)
            text_printf(out, "      lock NAME %s\n", class->use_rule);
    }
}

static size_t never(const struct checked *checked) {
    size_t count = 0;
    for (size_t i = 0; i < checked->order->class_count; i++)
        count += !checked->exercised[i];
    return count;
}

static void add_never(struct text *out, const struct checked *checked) {
    if (never(checked))
        text_add(out, "\nNever exercised: no lock of these was taken together with another one\n");
    for (size_t i = 0; i < checked->order->class_count; i++) {
        const struct order_class *class = &checked->order->classes[i];
        if (!checked->exercised[i])
            text_printf(out, "  %s, %s:%u\n", class->name, class->place.file, class->place.line);
    }
}

static void add_head(struct text *out, const struct checked *checked) {
    struct pool *pool = pool_of(checked);
    const char *file = checked->order->file_count ? checked->order->files[0] : "the order";
    text_printf(out, "lockgraph: %s the order of %s",
                checked->broken == 0
                    ? "nothing breaks"
                    : order_count(pool, checked->broken, "pair of classes breaks", "pairs of classes break"),
                text_clean(pool, file));
    text_printf(out, "; %s kept, %s blessed",
                order_count(pool, checked_count(checked, CHECK_KEEPS), "pair", "pairs"),
                order_count(pool, checked_count(checked, CHECK_BLESSED), "pair", "pairs"));
    text_printf(out, "; new: %s, %s", order_count(pool, new_classes(checked), "class", "classes"),
                order_count(pool, checked_count(checked, CHECK_NEW), "pair", "pairs"));
    text_printf(out, "; never exercised: %s\n", order_count(pool, never(checked), "class", "classes"));
}

void check_text(struct text *out, const struct checked *checked) {
    add_head(out, checked);
    add_pairs(out, checked, CHECK_BREAKS, "Breaks the order:");
    add_pairs(out, checked, CHECK_BLESSED, "Breaks it, and is blessed:");
    add_new_classes(out, checked);
    add_pairs(out, checked, CHECK_NEW, "New: pairs about which the order says nothing");
    add_never(out, checked);
}
