#include "learn_text.h"

#include <stdlib.h>
#include <string.h>

#include "learn_levels.h"
#include "order_words.h"
#include "stacks.h"

enum { STEP = 10, SURE = 4 }; /* pairs that all ascend by address: less may be chance */

struct learner {
    struct text *out;
    struct model *model;
    const struct seen *seen;
    struct learned_level *levels;
    const char **names; /* distinct, as they stand in the file; by class */
    size_t rings;
};

/* ---- names ---- */

/* A word of its own for each: the second "lock" becomes "lock-2". */
static void choose_names(struct learner *learner) {
    struct pool *pool = &learner->model->pool;
    const struct seen *seen = learner->seen;
    learner->names = pool_array(pool, seen->class_count + 1, sizeof *learner->names);
    for (size_t i = 0; i < seen->class_count; i++) {
        size_t same = 1;
        for (size_t k = 0; k < i; k++)
            same += strcmp(seen->classes[k].name, seen->classes[i].name) == 0;
        const char *name = seen->classes[i].name;
        learner->names[i] = order_quoted(pool, same > 1 ? pool_printf(pool, "%s-%zu", name, same) : name);
    }
}

/* The line of the call only where the function alone would stand for another class,
 * too: lines change more often. */
static const char *rule_of(const struct seen *seen, const struct seen_class *class) {
    for (size_t i = 0; i < seen->class_count; i++) {
        const struct seen_class *other = &seen->classes[i];
        if (other != class && other->function_rule && class->function_rule &&
            strcmp(other->function_rule, class->function_rule) == 0)
            return class->rule;
    }
    return class->function_rule;
}

/* ---- one class ---- */

static const struct seen_pair *pair_within(const struct seen *seen, size_t index) {
    for (size_t i = 0; i < seen->pair_count; i++)
        if (seen->pairs[i].from == index && seen->pairs[i].to == index)
            return &seen->pairs[i];
    return NULL;
}

static void add_place(struct learner *learner, const struct seen_class *class) {
    struct pool *pool = &learner->model->pool;
    text_printf(learner->out, "# %s%s%s; ", class->what->name, class->module ? " in " : "",
                class->module ? base_name(class->module) : "");
    text_printf(learner->out, "a %s, seen under %s, with %s under it\n", class->kind,
                order_count(pool, class->inner, "class", "classes"),
                order_count(pool, class->outer, "class", "classes"));
}

/* Functions on the way to it that have names, the innermost first: what is left to tell a
 * lock by where its own module has none. */
static const char *ways_to(struct learner *learner, const struct seen_class *class) {
    enum { MOST = 3 };
    struct pool *pool = &learner->model->pool;
    const char *list = "";
    size_t count = 0;
    for (size_t i = class->taken_at.site; i < class->taken_at.count && count < MOST; i++) {
        const struct code_frame *at = &class->taken_at.frames[i];
        if (!at->name || frame_is_bottom(at))
            continue;
        list = pool_printf(pool, "%s%s%s()", list, count++ ? " < " : "", at->name);
    }
    return list;
}

static void add_uses(struct learner *learner, const struct seen_class *class) {
    const char *ways = ways_to(learner, class);
    text_add(learner->out, "# Taken by");
    for (size_t i = 0; i < class->thread_count; i++)
        text_printf(learner->out, "%s %s", i ? "," : "",
                    text_clean(&learner->model->pool, class->threads[i]));
    text_printf(learner->out, "%s%s%s\n", class->thread_count == SEEN_THREADS ? ", and perhaps others" : "",
                *ways ? ", as in " : "", ways);
}

static void add_nesting(struct learner *learner, size_t index) {
    const struct seen_pair *within = pair_within(learner->seen, index);
    const char *name = learner->names[index];
    if (!within)
        return;
    struct pool *pool = &learner->model->pool;
    text_printf(learner->out, "# One under another, at %s: %s.\n",
                order_count(pool, within->sightings, "place", "places"),
                order_sites(pool, &within->held_at, &within->requested_at));
    if (within->descending == 0 && within->ascending >= SURE) {
        text_printf(learner->out, "same %s by address\n", name);
        return;
    }
    text_printf(learner->out,
                "# By address %zu went up and %zu down.  Where they must go up: same %s by address\n",
                within->ascending, within->descending, name);
    text_printf(learner->out, "same %s in any order\n", name);
}

static void add_class(struct learner *learner, size_t index) {
    const struct seen_class *class = &learner->seen->classes[index];
    const char *name = learner->names[index];
    const struct learned_level *level = &learner->levels[index];
    text_add(learner->out, "\n");
    add_place(learner, class);
    add_uses(learner, class);
    if (level->ring)
        text_printf(learner->out, "# Its level is to be settled by hand: see ring %zu below.\nclass %s\n",
                    level->ring, name);
    else
        text_printf(learner->out, "level %zu %s\n", level->depth * STEP, name);
    if (class->rule)
        text_printf(learner->out, "lock %s %s\n", name, rule_of(learner->seen, class));
    if (!level->ring)
        add_nesting(learner, index);
}

/* ---- rings ---- */

static void add_ring(struct learner *learner, size_t ring) {
    const struct seen *seen = learner->seen;
    text_printf(
        learner->out,
        "\n# Ring %zu: taken in both directions, which can deadlock.  Decide, change the program, and give\n"
        "# these classes levels.\n",
        ring);
    for (size_t i = 0; i < seen->pair_count; i++) {
        const struct seen_pair *pair = &seen->pairs[i];
        if (pair->from != pair->to && learner->levels[pair->from].ring == ring &&
            learner->levels[pair->to].ring == ring)
            text_printf(learner->out, "#   before %s %s\n#     %s\n", learner->names[pair->from],
                        learner->names[pair->to],
                        order_sites(&learner->model->pool, &pair->held_at, &pair->requested_at));
    }
}

/* What is certain of the classes of a ring: their order to all others. */
static void add_befores(struct learner *learner) {
    const struct seen *seen = learner->seen;
    bool any = false;
    for (size_t i = 0; i < seen->pair_count; i++) {
        const struct seen_pair *pair = &seen->pairs[i];
        size_t from = learner->levels[pair->from].ring, to = learner->levels[pair->to].ring;
        if (from == to || !can_be_declared(&seen->classes[pair->from]) ||
            !can_be_declared(&seen->classes[pair->to]))
            continue;
        if (!any)
            text_add(learner->out, "\n# What is seen of their order to others.\n");
        any = true;
        text_printf(learner->out, "before %s %s\n", learner->names[pair->from], learner->names[pair->to]);
    }
}

/* ---- the file ---- */

static const char *programs(struct learner *learner) {
    struct pool *pool = &learner->model->pool;
    const char *list = "";
    for (size_t i = 0; i < learner->model->process_count; i++) {
        const char *name = learner->model->processes[i].program;
        bool known = false;
        for (size_t k = 0; k < i; k++)
            known |= strcmp(learner->model->processes[k].program, name) == 0;
        if (!known)
            list = pool_printf(pool, "%s%s%s", list, *list ? ", " : "", name);
    }
    return list;
}

static size_t declarable(const struct seen *seen) {
    size_t count = 0;
    for (size_t i = 0; i < seen->class_count; i++)
        count += can_be_declared(&seen->classes[i]);
    return count;
}

static void add_head(struct learner *learner) {
    struct pool *pool = &learner->model->pool;
    text_printf(
        learner->out,
        "# The lock order of %s, as %s showed it: %s.\n"
        "# A lock may be taken under locks of lower levels only.  Give the classes names, say what they\n"
        "# protect, and leave out what is chance; lockgraph-order(5) tells how.\n",
        programs(learner), order_count(pool, learner->model->process_count, "process", "processes"),
        order_count(pool, declarable(learner->seen), "class", "classes"));
}

static void add_undeclared(struct learner *learner) {
    bool any = false;
    for (size_t i = 0; i < learner->seen->class_count; i++) {
        const struct seen_class *class = &learner->seen->classes[i];
        if (can_be_declared(class))
            continue;
        if (!any)
            text_add(
                learner->out,
                "\n# Seen, too, but known by no variable and no initialising call.  Where the same function\n"
                "# always takes it first, that declares it:\n");
        any = true;
        text_printf(learner->out, "#   %s\n", class->what->name);
        if (class->use_rule)
            text_printf(learner->out, "#     lock NAME %s\n", class->use_rule);
    }
}

static size_t deepest(const struct learner *learner) {
    size_t depth = 0;
    for (size_t i = 0; i < learner->seen->class_count; i++)
        if (learner->levels[i].depth > depth)
            depth = learner->levels[i].depth;
    return depth;
}

void learn_text(struct text *out, struct model *model, const struct seen *seen) {
    struct learner learner = {.out = out, .model = model, .seen = seen};
    learner.levels = learn_levels(&model->pool, seen, &learner.rings);
    choose_names(&learner);
    add_head(&learner);
    for (size_t depth = 1; depth <= deepest(&learner); depth++)
        for (size_t i = 0; i < seen->class_count; i++)
            if (learner.levels[i].depth == depth && can_be_declared(&seen->classes[i]))
                add_class(&learner, i);
    for (size_t ring = 1; ring <= learner.rings; ring++)
        add_ring(&learner, ring);
    if (learner.rings)
        add_befores(&learner);
    add_undeclared(&learner);
}
