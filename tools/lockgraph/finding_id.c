#include "finding_id.h"

#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "misuse_words.h"
#include "stacks.h"
#include "stall_words.h"

/* FNV-1a, then a mixing step (the low bits of FNV are weak), cut to 48 bits. */
const char *stable_id(struct pool *pool, const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u;
    hash ^= hash >> 32;
    return pool_printf(pool, "%012lx", (unsigned long)(hash & 0xffffffffffffu));
}

static const char *target_word(const struct model_edge *edge) {
    if (edge->in_once)
        return "once";
    if (!edge->condition)
        return "join"; /* of a barrier, too: ids stay */
    return edge->condition_name ? edge->condition_name : "condition";
}

const char *edge_identity(struct pool *pool, const struct model_edge *edge) {
    return pool_printf(pool, "%s/%s@%s -> %s/%s@%s", edge->from ? edge->from->identity : "nothing",
                       edge->shared_from ? "s" : "x",
                       edge->signaller ? "" : stack_identity(pool, &edge->held_at, 0),
                       edge->to ? edge->to->identity : target_word(edge), edge->shared_to ? "s" : "x",
                       stack_identity(pool, &edge->requested_at, 0));
}

static const char *ring_from(struct pool *pool, const char *const *parts, size_t count, size_t start) {
    size_t length = 1;
    for (size_t i = 0; i < count; i++)
        length += strlen(parts[i]) + 1;
    char *ring = pool_alloc(pool, length), *end = ring;
    for (size_t i = 0; i < count; i++) {
        end = stpcpy(end, parts[(start + i) % count]);
        end = stpcpy(end, "|");
    }
    return ring;
}

/* The smallest rotation among those that start at a smallest part. */
static const char *smallest_rotation(struct pool *pool, const char *const *parts, size_t count) {
    const char *smallest = parts[0], *best = NULL;
    for (size_t i = 1; i < count; i++)
        if (strcmp(parts[i], smallest) < 0)
            smallest = parts[i];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(parts[i], smallest) != 0)
            continue;
        const char *ring = ring_from(pool, parts, count, i);
        if (!best || strcmp(ring, best) < 0)
            best = ring;
    }
    return best;
}

static int compare_parts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whoever came first. */
static const char *all_of(struct pool *pool, const char **parts, size_t count) {
    qsort(parts, count, sizeof *parts, compare_parts);
    return ring_from(pool, parts, count, 0);
}

/* However many threads do the same. */
static const char *set_of(struct pool *pool, const char **parts, size_t count) {
    size_t different = 0;
    qsort(parts, count, sizeof *parts, compare_parts);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(parts[i], parts[different - 1]) != 0)
            parts[different++] = parts[i];
    return ring_from(pool, parts, different, 0);
}

bool is_about_one_lock(const struct model_finding *finding) {
    if (is_stall(finding) || is_misuse(finding))
        return false;
    for (size_t i = 0; i < finding->edge_count; i++)
        if (!finding->edges[i].from || finding->edges[i].from != finding->edges[0].from ||
            finding->edges[i].to != finding->edges[0].from)
            return false;
    return finding->edge_count > 1;
}

const char *finding_id(struct pool *pool, const struct model_finding *finding) {
    const char *ring = "";
    if (finding->edge_count) {
        const char **parts = pool_array(pool, finding->edge_count, sizeof *parts);
        for (size_t i = 0; i < finding->edge_count; i++)
            parts[i] = edge_identity(pool, &finding->edges[i]);
        if (is_stall(finding))
            ring = set_of(pool, parts, finding->edge_count);
        else if (is_about_one_lock(finding))
            ring = all_of(pool, parts, finding->edge_count);
        else
            ring = is_misuse(finding) ? parts[0] : smallest_rotation(pool, parts, finding->edge_count);
    }
    return stable_id(pool, pool_printf(pool, "%s|%s", kind_name(finding->kind), ring));
}
