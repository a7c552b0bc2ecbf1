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

static void add_split(struct pool *pool, struct seen_splits *splits, const char *rule) {
    const char **rules = pool_array(pool, splits->count + 1, sizeof *rules);
    if (splits->count)
        memcpy(rules, splits->rules, splits->count * sizeof *rules);
    rules[splits->count++] = rule;
    splits->rules = rules;
}

static bool has(const char *const *rules, size_t count, const char *rule) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i], rule) == 0)
            return true;
    return false;
}

/* A class that no caller tells apart keeps the rule that was split, which then names the
 * locks of the others, too: of functions that rules name the innermost decides.  So that
 * rule stands for all of them. */
static bool keep_whole(struct pool *pool, const struct seen *seen, struct seen_splits *splits) {
    size_t before = splits->whole_count;
    for (size_t i = 0; i < seen->class_count; i++) {
        const char *rule = seen->classes[i].rule;
        if (rule && has(splits->rules, splits->count, rule) &&
            !has(splits->whole, splits->whole_count, rule)) {
            const char **whole = pool_array(pool, splits->whole_count + 1, sizeof *whole);
            if (splits->whole_count)
                memcpy(whole, splits->whole, splits->whole_count * sizeof *whole);
            whole[splits->whole_count++] = rule;
            splits->whole = whole;
        }
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
        if (class->merged && class->rule && !has(splits->whole, splits->whole_count, class->rule) &&
            (levels[i].ring || (of_call && nests_within(seen, i))))
            add_split(pool, splits, class->rule);
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
