#include "learn_levels.h"

#include <string.h>

bool can_be_declared(const struct seen_class *class) {
    return !class->guessed && (class->rule || strcmp(class->what->kind, "named") == 0);
}

static bool counts(const struct seen *seen, const struct seen_pair *pair) {
    return pair->from != pair->to && can_be_declared(&seen->classes[pair->from]) &&
           can_be_declared(&seen->classes[pair->to]);
}

/* reaches[from * classes + to]: by one pair or several. */
static bool *reachable(struct pool *pool, const struct seen *seen) {
    size_t count = seen->class_count;
    bool *reaches = pool_array(pool, count * count + 1, sizeof *reaches);
    for (size_t i = 0; i < seen->pair_count; i++)
        if (counts(seen, &seen->pairs[i]))
            reaches[seen->pairs[i].from * count + seen->pairs[i].to] = true;
    for (size_t by = 0; by < count; by++)
        for (size_t from = 0; from < count; from++)
            for (size_t to = 0; to < count && reaches[from * count + by]; to++)
                reaches[from * count + to] |= reaches[by * count + to];
    return reaches;
}

static size_t find_rings(const bool *reaches, size_t count, struct learned_level *levels) {
    size_t rings = 0;
    for (size_t i = 0; i < count; i++) {
        if (levels[i].ring || !reaches[i * count + i])
            continue;
        rings++;
        for (size_t k = i; k < count; k++)
            if (reaches[i * count + k] && reaches[k * count + i])
                levels[k].ring = rings;
    }
    return rings;
}

static bool in_one_ring(const struct learned_level *levels, size_t one, size_t other) {
    return levels[one].ring != 0 && levels[one].ring == levels[other].ring;
}

static void deepen(struct learned_level *levels, size_t count, size_t index, size_t depth) {
    for (size_t i = 0; i < count; i++)
        if ((i == index || in_one_ring(levels, i, index)) && levels[i].depth < depth)
            levels[i].depth = depth;
}

/* Rings taken as one there is no way back: as many rounds as classes are enough. */
static bool one_round(const struct seen *seen, struct learned_level *levels) {
    bool any = false;
    for (size_t i = 0; i < seen->pair_count; i++) {
        const struct seen_pair *pair = &seen->pairs[i];
        if (!counts(seen, pair) || in_one_ring(levels, pair->from, pair->to) ||
            levels[pair->to].depth > levels[pair->from].depth)
            continue;
        deepen(levels, seen->class_count, pair->to, levels[pair->from].depth + 1);
        any = true;
    }
    return any;
}

struct learned_level *learn_levels(struct pool *pool, const struct seen *seen, size_t *ring_count) {
    size_t count = seen->class_count;
    struct learned_level *levels = pool_array(pool, count + 1, sizeof *levels);
    *ring_count = find_rings(reachable(pool, seen), count, levels);
    for (size_t i = 0; i < count; i++)
        levels[i].depth = 1;
    for (size_t round = 0; round < count && one_round(seen, levels); round++)
        continue;
    return levels;
}
