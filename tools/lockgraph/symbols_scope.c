#include "symbols_scope.h"

#include <dwarf.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>

#define DEEPEST_BLOCKS 256

struct scope {
    Dwarf_Die die;
    uint32_t outer; /* number of the one around it; 0: the function */
};

struct interval {
    Dwarf_Addr low, high;
    uint32_t scope; /* its number, from 1 */
};

/* From `start` to the next one's: innermost is `scope`. */
struct segment {
    Dwarf_Addr start;
    uint32_t scope;
};

struct function_scopes {
    const void *entry;
    size_t scope_count, segment_count;
    struct scope *scopes;
    struct segment *segments;
};

struct gatherer {
    size_t scope_count, interval_count, segment_count;
    struct scope *scopes;
    struct interval *intervals;
    struct segment *segments;
};

/* Twice as much room whenever a power of two is reached. */
static void *room_for_one(void *list, size_t count, size_t size) {
    return count & (count - 1) ? list : checked_resize(list, count ? 2 * count : 1, size);
}

/* ---- the entries ---- */

static void add_scope(struct gatherer *gatherer, Dwarf_Die *die, uint32_t outer) {
    Dwarf_Addr base, low, high;
    gatherer->scopes = room_for_one(gatherer->scopes, gatherer->scope_count, sizeof *gatherer->scopes);
    gatherer->scopes[gatherer->scope_count++] = (struct scope){*die, outer};
    for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &low, &high)) > 0;) {
        if (low >= high)
            continue;
        gatherer->intervals =
            room_for_one(gatherer->intervals, gatherer->interval_count, sizeof *gatherer->intervals);
        gatherer->intervals[gatherer->interval_count++] =
            (struct interval){low, high, (uint32_t)gatherer->scope_count};
    }
}

static void add_children(struct gatherer *gatherer, Dwarf_Die *parent, uint32_t outer, unsigned inlining,
                         unsigned depth) {
    Dwarf_Die child;
    if (inlining == DEEPEST_INLINING || depth == DEEPEST_BLOCKS || dwarf_child(parent, &child) != 0)
        return;
    do {
        int tag = dwarf_tag(&child);
        if (tag == DW_TAG_inlined_subroutine) {
            add_scope(gatherer, &child, outer);
            add_children(gatherer, &child, (uint32_t)gatherer->scope_count, inlining + 1, depth + 1);
        } else if (tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block) {
            add_children(gatherer, &child, outer, inlining, depth + 1);
        }
    } while (dwarf_siblingof(&child, &child) == 0);
}

/* ---- the segments ---- */

static int compare_intervals(const void *a, const void *b) {
    const struct interval *left = a, *right = b;
    if (left->low != right->low)
        return left->low < right->low ? -1 : 1;
    return left->scope < right->scope ? -1 : left->scope > right->scope; /* outer ones first */
}

static void start_segment(struct gatherer *gatherer, Dwarf_Addr start, uint32_t scope) {
    struct segment *last = gatherer->segment_count ? &gatherer->segments[gatherer->segment_count - 1] : NULL;
    if (last && last->start == start) {
        last->scope = scope;
        return;
    }
    gatherer->segments =
        room_for_one(gatherer->segments, gatherer->segment_count, sizeof *gatherer->segments);
    gatherer->segments[gatherer->segment_count++] = (struct segment){start, scope};
}

/* Takes what ends at or before `address` off the stack. */
static size_t close_until(struct gatherer *gatherer, const struct interval **open, size_t count,
                          Dwarf_Addr address) {
    for (; count && open[count - 1]->high <= address; count--)
        start_segment(gatherer, open[count - 1]->high, count > 1 ? open[count - 2]->scope : 0);
    return count;
}

static void make_segments(struct gatherer *gatherer) {
    const struct interval **open = checked_resize(NULL, gatherer->interval_count, sizeof(void *));
    size_t count = 0;
    qsort(gatherer->intervals, gatherer->interval_count, sizeof *gatherer->intervals, compare_intervals);
    for (size_t i = 0; i < gatherer->interval_count; i++) {
        struct interval *interval = &gatherer->intervals[i];
        count = close_until(gatherer, open, count, interval->low);
        if (count && interval->high > open[count - 1]->high)
            interval->high = open[count - 1]->high; /* what is around it ends there */
        start_segment(gatherer, interval->low, interval->scope);
        open[count++] = interval;
    }
    close_until(gatherer, open, count, UINT64_MAX);
    free(open);
}

static void *kept(struct pool *pool, void *list, size_t count, size_t size) {
    void *copy = count ? pool_string_n(pool, list, count * size) : NULL;
    free(list);
    return copy;
}

static struct function_scopes *scopes_of(struct pool *pool, Dwarf_Die *function) {
    struct gatherer gatherer = {0};
    struct function_scopes *scopes = pool_alloc(pool, sizeof *scopes);
    add_children(&gatherer, function, 0, 0, 0);
    if (gatherer.interval_count)
        make_segments(&gatherer);
    free(gatherer.intervals);
    *scopes =
        (struct function_scopes){function->addr, gatherer.scope_count, gatherer.segment_count, NULL, NULL};
    scopes->scopes = kept(pool, gatherer.scopes, gatherer.scope_count, sizeof *gatherer.scopes);
    scopes->segments = kept(pool, gatherer.segments, gatherer.segment_count, sizeof *gatherer.segments);
    return scopes;
}

/* ---- looking up ---- */

static int compare_functions(const void *a, const void *b) {
    const struct function_scopes *left = a, *right = b;
    uintptr_t one = (uintptr_t)left->entry, other = (uintptr_t)right->entry;
    return one < other ? -1 : one > other;
}

static uint32_t innermost(const struct function_scopes *scopes, Dwarf_Addr address) {
    size_t low = 0, high = scopes->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scopes->segments[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? scopes->segments[low - 1].scope : 0;
}

size_t inlined_at(struct scope_index *index, struct pool *pool, Dwarf_Die *function, Dwarf_Addr address,
                  Dwarf_Die *chain) {
    struct function_scopes key = {.entry = function->addr};
    struct function_scopes **found = tfind(&key, &index->functions, compare_functions), *scopes;
    if (found) {
        scopes = *found;
    } else {
        scopes = scopes_of(pool, function);
        tsearch(scopes, &index->functions, compare_functions);
    }
    size_t count = 0, at;
    uint32_t inner = innermost(scopes, address);
    for (uint32_t scope = inner; scope; scope = scopes->scopes[scope - 1].outer)
        count++;
    at = count;
    for (uint32_t scope = inner; scope; scope = scopes->scopes[scope - 1].outer)
        chain[--at] = scopes->scopes[scope - 1].die;
    return count;
}

static void keep(void *node) { (void)node; }

void scope_index_free(struct scope_index *index) { tdestroy(index->functions, keep); }
