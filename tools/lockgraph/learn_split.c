#include "learn_split.h"

#include <string.h>

#include "learn_levels.h"
#include "learn_runs.h"

enum { ROUNDS = 4 }; /* a class keeps no more frames of its initialisation */

static bool nests_within(const struct seen *seen, size_t index) {
    for (size_t i = 0; i < seen->pair_count; i++)
        if (seen->pairs[i].from == index && seen->pairs[i].to == index)
            return true;
    return false;
}

static const char **with(struct pool *pool, const char **rules, size_t *count, const char *rule) {
    const char **more = pool_array(pool, *count + 1, sizeof *more);
    if (*count)
        memcpy(more, rules, *count * sizeof *more);
    more[(*count)++] = rule;
    return more;
}

/* A class that no caller tells apart keeps the rule that was split, which then names the
 * locks of the others, too: of functions that rules name the innermost decides.  So that
 * rule stands for all of them. */
static bool keep_whole(struct pool *pool, const struct seen *seen, struct seen_splits *splits) {
    size_t before = splits->whole_count;
    for (size_t i = 0; i < seen->class_count; i++) {
        const char *rule = seen->classes[i].rule;
        if (rule && seen_has_rule(splits->rules, splits->count, rule) &&
            !seen_has_rule(splits->whole, splits->whole_count, rule))
            splits->whole = with(pool, splits->whole, &splits->whole_count, rule);
    }
    return splits->whole_count > before;
}

/* False: there is nothing more to tell apart. */
static bool split_more(struct pool *pool, const struct seen *seen, struct seen_splits *splits) {
    size_t rings, before = splits->count;
    const struct learned_level *levels = learn_levels(pool, seen, &rings);
    for (size_t i = 0; i < seen->class_count; i++) {
        const struct seen_class *class = &seen->classes[i];
        bool of_call = strcmp(class->what->kind, "init") == 0; /* elements of an array may well nest */
        if (class->merged && class->rule && !seen_has_rule(splits->whole, splits->whole_count, class->rule) &&
            (levels[i].ring || (of_call && nests_within(seen, i))))
            splits->rules = with(pool, splits->rules, &splits->count, class->rule);
    }
    return splits->count > before;
}

struct seen learn_seen(struct model *model) {
    struct seen_splits splits = {0};
    struct seen seen = seen_in(model, NULL, &splits);
    learn_runs(&model->pool, &seen, &splits);
    if (splits.run_count)
        seen = seen_in(model, NULL, &splits);
    for (int round = 0; round < ROUNDS && split_more(&model->pool, &seen, &splits); round++)
        seen = seen_in(model, NULL, &splits);
    while (keep_whole(&model->pool, &seen, &splits))
        seen = seen_in(model, NULL, &splits);
    return seen;
}
