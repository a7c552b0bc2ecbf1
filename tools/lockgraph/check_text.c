#include "check_text.h"

#include <stdint.h>
#include <string.h>

#include "order_words.h"
#include "stacks.h"

enum verdict { KEEPS, NEW, BREAKS, BLESSED };

struct checker {
    struct text *out;
    struct model *model;
    const struct seen *seen;
    const struct order *order;
    enum verdict *verdicts; /* by pair */
};

static struct pool *pool_of(const struct checker *checker) { return &checker->model->pool; }

static const struct order_class *declared(const struct checker *checker, size_t class) {
    size_t index = checker->seen->classes[class].declared;
    return index == SIZE_MAX ? NULL : &checker->order->classes[index];
}

/* ---- verdicts ---- */

/* Of locks of one level, in one class or in two. */
static bool breaks_nesting(const struct seen_pair *pair, const struct order_class *from,
                           const struct order_class *to) {
    if (from->nesting == LGR_NEST_BY_ADDRESS && to->nesting == LGR_NEST_BY_ADDRESS)
        return pair->descending > 0;
    return from != to || from->nesting == LGR_NEST_NEVER;
}

static bool breaks(const struct checker *checker, const struct seen_pair *pair) {
    const struct order_class *from = declared(checker, pair->from), *to = declared(checker, pair->to);
    const struct order_class *all = checker->order->classes;
    if (order_precedes(checker->order, (size_t)(to - all), (size_t)(from - all)))
        return true;
    return from->level != NO_LEVEL && from->level == to->level && breaks_nesting(pair, from, to);
}

static enum verdict judge(const struct checker *checker, const struct seen_pair *pair) {
    const struct order_class *from = declared(checker, pair->from), *to = declared(checker, pair->to);
    const struct order_class *all = checker->order->classes;
    if (!from || !to)
        return NEW;
    size_t one = (size_t)(from - all), other = (size_t)(to - all);
    if (breaks(checker, pair))
        return order_blessing(checker->order, one, other) ? BLESSED : BREAKS;
    bool said = one == other || order_precedes(checker->order, one, other);
    return said ? KEEPS : NEW;
}

static size_t judge_all(struct checker *checker) {
    size_t broken = 0;
    checker->verdicts = pool_array(pool_of(checker), checker->seen->pair_count + 1, sizeof(enum verdict));
    for (size_t i = 0; i < checker->seen->pair_count; i++) {
        checker->verdicts[i] = judge(checker, &checker->seen->pairs[i]);
        broken += checker->verdicts[i] == BREAKS;
    }
    return broken;
}

static size_t count_of(const struct checker *checker, enum verdict verdict) {
    size_t count = 0;
    for (size_t i = 0; i < checker->seen->pair_count; i++)
        count += checker->verdicts[i] == verdict;
    return count;
}

/* ---- in words ---- */

static const char *label(const struct checker *checker, size_t class) {
    const struct order_class *known = declared(checker, class);
    const struct seen_class *seen = &checker->seen->classes[class];
    if (!known)
        return seen->guessed || !seen->rule ? seen->what->name : seen->name;
    if (known->level == NO_LEVEL)
        return known->name;
    return pool_printf(pool_of(checker), "%s (level %d)", known->name, known->level);
}

static void add_sites(const struct checker *checker, const struct stack *held_at,
                      const struct stack *requested_at) {
    text_printf(checker->out, "      %s\n", order_sites(pool_of(checker), held_at, requested_at));
}

static void add_pair(const struct checker *checker, const struct seen_pair *pair) {
    const struct order_class *from = declared(checker, pair->from);
    bool down = pair->from == pair->to && from && from->nesting == LGR_NEST_BY_ADDRESS && pair->descending;
    text_printf(checker->out, "  %s is taken under %s", label(checker, pair->to), label(checker, pair->from));
    text_printf(checker->out, ", at %s\n", order_count(pool_of(checker), pair->sightings, "place", "places"));
    if (down)
        add_sites(checker, &pair->descending_held_at, &pair->descending_requested_at);
    else
        add_sites(checker, &pair->held_at, &pair->requested_at);
}

static const char *reason(const struct checker *checker, const struct seen_pair *pair) {
    const struct order_class *from = declared(checker, pair->from), *to = declared(checker, pair->to);
    struct pool *pool = pool_of(checker);
    if (from == to && from->nesting == LGR_NEST_BY_ADDRESS)
        return pool_printf(pool, "%s:%u: they go up by address", from->nested_at.file, from->nested_at.line);
    if (from->level != NO_LEVEL && from->level == to->level)
        return pool_printf(pool, "%s:%u: nothing says how those of level %d nest", from->place.file,
                           from->place.line, from->level);
    return pool_printf(pool, "%s:%u and %s:%u: %s comes before %s", to->place.file, to->place.line,
                       from->place.file, from->place.line, to->name, from->name);
}

static void add_pairs(const struct checker *checker, enum verdict verdict, const char *heading) {
    if (count_of(checker, verdict) == 0)
        return;
    text_printf(checker->out, "\n%s\n", heading);
    for (size_t i = 0; i < checker->seen->pair_count; i++) {
        const struct seen_pair *pair = &checker->seen->pairs[i];
        if (checker->verdicts[i] != verdict)
            continue;
        add_pair(checker, pair);
        if (verdict == BREAKS)
            text_printf(checker->out, "      %s\n", reason(checker, pair));
        if (verdict == BLESSED)
            text_printf(checker->out, "      blessed: %s\n",
                        order_blessing(checker->order, checker->seen->classes[pair->from].declared,
                                       checker->seen->classes[pair->to].declared)
                            ->reason);
    }
}

/* ---- what is new, what was never seen ---- */

static size_t new_classes(const struct checker *checker) {
    size_t count = 0;
    for (size_t i = 0; i < checker->seen->class_count; i++)
        count += checker->seen->classes[i].declared == SIZE_MAX;
    return count;
}

static void add_new_classes(const struct checker *checker) {
    if (new_classes(checker))
        text_add(checker->out, "\nNew: classes that the order does not declare\n");
    for (size_t i = 0; i < checker->seen->class_count; i++) {
        const struct seen_class *class = &checker->seen->classes[i];
        if (class->declared != SIZE_MAX)
            continue;
        text_printf(checker->out, "  %s\n", class->what->name);
        if (class->rule && !class->guessed)
            text_printf(checker->out, "      lock NAME %s\n", class->rule);
    }
}

static bool exercised(const struct checker *checker, size_t index) {
    for (size_t i = 0; i < checker->seen->class_count; i++)
        if (checker->seen->classes[i].declared == index)
            return true;
    return false;
}

static size_t never(const struct checker *checker) {
    size_t count = 0;
    for (size_t i = 0; i < checker->order->class_count; i++)
        count += !exercised(checker, i);
    return count;
}

static void add_never(const struct checker *checker) {
    if (never(checker))
        text_add(checker->out, "\nNever exercised: no lock of these was taken together with another one\n");
    for (size_t i = 0; i < checker->order->class_count; i++) {
        const struct order_class *class = &checker->order->classes[i];
        if (!exercised(checker, i))
            text_printf(checker->out, "  %s, %s:%u\n", class->name, class->place.file, class->place.line);
    }
}

static void add_head(const struct checker *checker, size_t broken) {
    struct pool *pool = pool_of(checker);
    const char *file = checker->order->file_count ? checker->order->files[0] : "the order";
    text_printf(checker->out, "lockgraph: %s the order of %s",
                broken == 0 ? "nothing breaks"
                            : order_count(pool, broken, "pair of classes breaks", "pairs of classes break"),
                text_clean(pool, file));
    text_printf(checker->out, "; %s kept, %s blessed",
                order_count(pool, count_of(checker, KEEPS), "pair", "pairs"),
                order_count(pool, count_of(checker, BLESSED), "pair", "pairs"));
    text_printf(checker->out, "; new: %s, %s", order_count(pool, new_classes(checker), "class", "classes"),
                order_count(pool, count_of(checker, NEW), "pair", "pairs"));
    text_printf(checker->out, "; never exercised: %s\n",
                order_count(pool, never(checker), "class", "classes"));
}

size_t check_text(struct text *out, struct model *model, const struct seen *seen, const struct order *order) {
    struct checker checker = {.out = out, .model = model, .seen = seen, .order = order};
    size_t broken = judge_all(&checker);
    add_head(&checker, broken);
    add_pairs(&checker, BREAKS, "Breaks the order:");
    add_pairs(&checker, BLESSED, "Breaks it, and is blessed:");
    add_new_classes(&checker);
    add_pairs(&checker, NEW, "New: pairs about which the order says nothing");
    add_never(&checker);
    return broken;
}
