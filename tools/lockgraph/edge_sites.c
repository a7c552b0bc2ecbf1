#include "edge_sites.h"

#include <stdlib.h>

#include "pool.h"

/* How many places a pair of classes has. */
struct pair_count {
    uint64_t pair;
    size_t count; /* 0: a free slot */
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

static uint64_t mixed(uint64_t word) {
    word = (word ^ word >> 32) * 0x9e3779b97f4a7c15u;
    return word ^ word >> 29;
}

/* ---- places ---- */

/* A place of a pair as one number, never 0: two that are alike are as good as impossible. */
static uint64_t site_of(uint64_t pair, uint64_t place) { return mixed(mixed(pair) + place) | 1; }

static uint64_t *site_slot(const struct site_set *set, uint64_t site) {
    size_t at = (size_t)(site >> 1) & (set->slots - 1);
    while (set->list[at] && set->list[at] != site)
        at = (at + 1) & (set->slots - 1);
    return &set->list[at];
}

static void grow_sites(struct site_set *set) {
    struct site_set larger = {.count = set->count, .slots = set->slots ? 2 * set->slots : 256};
    larger.list = checked_zeroed(larger.slots, sizeof *larger.list);
    for (size_t i = 0; i < set->slots; i++)
        if (set->list[i])
            *site_slot(&larger, set->list[i]) = set->list[i];
    free(set->list);
    *set = larger;
}

/* Whether it is a new one. */
static bool note_site(struct site_set *set, uint64_t site) {
    if (2 * set->count >= set->slots)
        grow_sites(set);
    uint64_t *slot = site_slot(set, site);
    bool is_new = *slot == 0;
    *slot = site;
    set->count += is_new;
    return is_new;
}

/* ---- pairs ---- */

static struct pair_count *pair_slot(const struct pair_counts *pairs, uint64_t pair) {
    size_t at = (size_t)mixed(pair) & (pairs->slots - 1);
    while (pairs->list[at].count && pairs->list[at].pair != pair)
        at = (at + 1) & (pairs->slots - 1);
    return &pairs->list[at];
}

static void grow_pairs(struct pair_counts *pairs) {
    struct pair_counts larger = {.count = pairs->count, .slots = pairs->slots ? 2 * pairs->slots : 256};
    larger.list = checked_zeroed(larger.slots, sizeof *larger.list);
    for (size_t i = 0; i < pairs->slots; i++)
        if (pairs->list[i].count)
            *pair_slot(&larger, pairs->list[i].pair) = pairs->list[i];
    free(pairs->list);
    *pairs = larger;
}

static void count_pair(struct pair_counts *pairs, uint64_t pair) {
    if (2 * pairs->count >= pairs->slots)
        grow_pairs(pairs);
    struct pair_count *slot = pair_slot(pairs, pair);
    pairs->count += slot->count == 0;
    *slot = (struct pair_count){pair, slot->count + 1};
}

/* ---- both ---- */

static void make(struct edge_sites *index, const struct lgr_file *file) {
    size_t total = lgr_edge_count(file);
    for (size_t i = 0; i < total; i++) {
        const struct lgr_edge *edge = lgr_edge_at(file, i);
        uint64_t pair = pair_of(edge->from_class, edge->to_class);
        if (note_site(&index->sites, site_of(pair, place_of(file, edge->request_context))))
            count_pair(&index->pairs, pair);
    }
    free(index->sites.list);
    index->sites = (struct site_set){0};
    index->made = true;
}

size_t edge_sites(struct edge_sites *index, const struct lgr_file *file, uint32_t from_class,
                  uint32_t to_class) {
    if (!index->made)
        make(index, file);
    return index->pairs.slots ? pair_slot(&index->pairs, pair_of(from_class, to_class))->count : 0;
}

void edge_sites_free(struct edge_sites *index) { free(index->pairs.list); }
