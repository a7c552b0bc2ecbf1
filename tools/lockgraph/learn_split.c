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

/* False: there is nothing more to tell apart. */
static bool split_more(struct pool *pool, const struct seen *seen, struct seen_splits *splits) {
    size_t rings, before = splits->count;
    const struct learned_level *levels = learn_levels(pool, seen, &rings);
    for (size_t i = 0; i < seen->class_count; i++) {
        const struct seen_class *class = &seen->classes[i];
        bool of_call = strcmp(class->what->kind, "init") == 0; /* elements of an array may well nest */
        if (class->merged && class->rule && (levels[i].ring || (of_call && nests_within(seen, i))))
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
    return seen;
}
