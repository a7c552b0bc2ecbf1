#include "edge_sites.h"

#include <stdlib.h>

#include "pool.h"

/* A place of a pair of classes, or a pair (place 0) with the number of its places. */
struct site {
    uint64_t pair, place, count; /* count 0: a free slot */
};

/* Where the innermost frame stands, as one number per place. */
static uint64_t place_of(const struct lgr_file *file, uint32_t context) {
    const struct lgr_context_info *info = lgr_context_by_id(file, context);
    if (!info || info->frame_count == 0)
        return 0;
    return ((uint64_t)info->frames[0].module << 48) ^ info->frames[0].offset;
}

static uint64_t pair_of(uint32_t from_class, uint32_t to_class) {
    return (uint64_t)from_class << 32 | to_class;
}

static struct site *slot_of(const struct site_set *set, uint64_t pair, uint64_t place) {
    uint64_t hash = (pair ^ place * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    size_t at = (size_t)(hash >> 32 ^ hash) & (set->slots - 1);
    while (set->list[at].count && (set->list[at].pair != pair || set->list[at].place != place))
        at = (at + 1) & (set->slots - 1);
    return &set->list[at];
}

static void make_room(struct site_set *set) {
    struct site_set larger = {.count = set->count, .slots = set->slots ? 2 * set->slots : 256};
    if (2 * set->count < set->slots)
        return;
    larger.list = checked_resize(NULL, larger.slots, sizeof *larger.list);
    for (size_t i = 0; i < larger.slots; i++)
        larger.list[i].count = 0;
    for (size_t i = 0; i < set->slots; i++)
        if (set->list[i].count)
            *slot_of(&larger, set->list[i].pair, set->list[i].place) = set->list[i];
    free(set->list);
    *set = larger;
}

/* Once more; whether it is the first time. */
static bool note(struct site_set *set, uint64_t pair, uint64_t place) {
    make_room(set);
    struct site *slot = slot_of(set, pair, place);
    bool first = slot->count == 0;
    *slot = (struct site){pair, place, slot->count + 1};
    set->count += first;
    return first;
}

static void make(struct edge_sites *index, const struct lgr_file *file) {
    size_t total = lgr_edge_count(file);
    for (size_t i = 0; i < total; i++) {
        const struct lgr_edge *edge = lgr_edge_at(file, i);
        uint64_t pair = pair_of(edge->from_class, edge->to_class);
        if (note(&index->sites, pair, place_of(file, edge->request_context)))
            note(&index->pairs, pair, 0);
    }
    index->made = true;
}

size_t edge_sites(struct edge_sites *index, const struct lgr_file *file, uint32_t from_class,
                  uint32_t to_class) {
    if (!index->made)
        make(index, file);
    if (index->pairs.slots == 0)
        return 0;
    return slot_of(&index->pairs, pair_of(from_class, to_class), 0)->count;
}

void edge_sites_free(struct edge_sites *index) {
    free(index->sites.list);
    free(index->pairs.list);
}
