#include "check_judge.h"

#include <stdint.h>

static struct pool *pool_of(const struct checked *checked) { return &checked->model->pool; }

const struct order_class *checked_class(const struct checked *checked, size_t class) {
    size_t index = checked->seen->classes[class].declared;
    return index == SIZE_MAX ? NULL : &checked->order->classes[index];
}

/* Of locks of one level, in one class or in two.  Keys are not recorded: what is against
 * them is told when it happens. */
static bool breaks_nesting(const struct seen_pair *pair, const struct order_class *from,
                           const struct order_class *to) {
    if (from->nesting == LGR_NEST_BY_ADDRESS && to->nesting == LGR_NEST_BY_ADDRESS)
        return pair->descending > 0;
    if (from->nesting == LGR_NEST_BY_KEY && to->nesting == LGR_NEST_BY_KEY)
        return false;
    return from != to || from->nesting == LGR_NEST_NEVER;
}

static bool breaks(const struct checked *checked, const struct seen_pair *pair) {
    const struct order_class *from = checked_class(checked, pair->from),
                             *to = checked_class(checked, pair->to);
    const struct order_class *all = checked->order->classes;
    if (order_precedes(checked->order, (size_t)(to - all), (size_t)(from - all)))
        return true;
    return from->level != NO_LEVEL && from->level == to->level && breaks_nesting(pair, from, to);
}

static enum check_verdict judge(const struct checked *checked, const struct seen_pair *pair) {
    const struct order_class *from = checked_class(checked, pair->from),
                             *to = checked_class(checked, pair->to);
    const struct order_class *all = checked->order->classes;
    if (!from || !to)
        return CHECK_NEW;
    size_t one = (size_t)(from - all), other = (size_t)(to - all);
    if (breaks(checked, pair))
        return order_blessing(checked->order, one, other) ? CHECK_BLESSED : CHECK_BREAKS;
    bool said = one == other || order_precedes(checked->order, one, other);
    return said ? CHECK_KEEPS : CHECK_NEW;
}

struct checked check_judge(struct model *model, const struct seen *seen, const struct order *order) {
    struct checked checked = {.model = model, .seen = seen, .order = order};
    checked.verdicts = pool_array(&model->pool, seen->pair_count + 1, sizeof *checked.verdicts);
    checked.exercised = pool_array(&model->pool, order->class_count + 1, sizeof *checked.exercised);
    for (size_t i = 0; i < seen->pair_count; i++)
        checked.verdicts[i] = judge(&checked, &seen->pairs[i]);
    for (size_t i = 0; i < seen->class_count; i++)
        if (seen->classes[i].declared != SIZE_MAX)
            checked.exercised[seen->classes[i].declared] = true;
    checked.broken = checked_count(&checked, CHECK_BREAKS);
    return checked;
}

size_t checked_count(const struct checked *checked, enum check_verdict verdict) {
    size_t count = 0;
    for (size_t i = 0; i < checked->seen->pair_count; i++)
        count += checked->verdicts[i] == verdict;
    return count;
}

/* ---- in words ---- */

const char *checked_name(const struct checked *checked, size_t class) {
    const struct order_class *known = checked_class(checked, class);
    const struct seen_class *seen = &checked->seen->classes[class];
    if (known)
        return known->name;
    return seen->guessed || !seen->rule ? seen->what->name : seen->name;
}

const char *checked_reason(const struct checked *checked, const struct seen_pair *pair) {
    const struct order_class *from = checked_class(checked, pair->from),
                             *to = checked_class(checked, pair->to);
    struct pool *pool = pool_of(checked);
    if (from == to && from->nesting == LGR_NEST_BY_ADDRESS)
        return pool_printf(pool, "%s:%u: they go up by address", from->nested_at.file, from->nested_at.line);
    if (from->level != NO_LEVEL && from->level == to->level)
        return pool_printf(pool, "%s:%u: nothing says how those of level %d nest", from->place.file,
                           from->place.line, from->level);
    return pool_printf(pool, "%s:%u and %s:%u: %s comes before %s", to->place.file, to->place.line,
                       from->place.file, from->place.line, to->name, from->name);
}

const char *checked_blessing(const struct checked *checked, const struct seen_pair *pair) {
    return order_blessing(checked->order, checked->seen->classes[pair->from].declared,
                          checked->seen->classes[pair->to].declared)
        ->reason;
}

/* Within a class only the way down by address is against its order. */
static bool goes_down(const struct checked *checked, const struct seen_pair *pair) {
    const struct order_class *from = checked_class(checked, pair->from);
    return pair->from == pair->to && from && from->nesting == LGR_NEST_BY_ADDRESS && pair->descending;
}

const struct stack *checked_held_at(const struct checked *checked, const struct seen_pair *pair) {
    return goes_down(checked, pair) ? &pair->descending_held_at : &pair->held_at;
}

const struct stack *checked_requested_at(const struct checked *checked, const struct seen_pair *pair) {
    return goes_down(checked, pair) ? &pair->descending_requested_at : &pair->requested_at;
}
