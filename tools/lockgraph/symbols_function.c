#include "symbols_function.h"

#include <dwarf.h>
#include <search.h>
#include <stdlib.h>

#define DEEPEST_NESTING 16

struct range {
    Dwarf_Addr low, high;
    Dwarf_Die function;
};

struct unit {
    const void *identity; /* where the unit's first entry lies */
    size_t count;
    struct range *ranges;
};

static void add_function(struct unit *unit, Dwarf_Die *function) {
    Dwarf_Addr base, low, high;
    ptrdiff_t at = 0;
    while ((at = dwarf_ranges(function, at, &base, &low, &high)) > 0) {
        if (low >= high)
            continue;
        unit->ranges = checked_resize(unit->ranges, unit->count + 1, sizeof *unit->ranges);
        unit->ranges[unit->count++] = (struct range){low, high, *function};
    }
}

static void add_children(struct unit *unit, Dwarf_Die *parent, unsigned depth) {
    Dwarf_Die child;
    if (depth > DEEPEST_NESTING || dwarf_child(parent, &child) != 0)
        return;
    do {
        int tag = dwarf_tag(&child);
        if (tag == DW_TAG_subprogram)
            add_function(unit, &child);
        else if (tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type)
            add_children(unit, &child, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
}

static int compare_ranges(const void *a, const void *b) {
    const struct range *left = a, *right = b;
    return left->low < right->low ? -1 : left->low > right->low;
}

static int compare_units(const void *a, const void *b) {
    const struct unit *left = a, *right = b;
    return (const char *)left->identity < (const char *)right->identity
               ? -1
               : (const char *)left->identity > (const char *)right->identity;
}

static const struct unit *unit_of(struct function_index *index, struct pool *pool, Dwarf_Die *die) {
    struct unit key = {.identity = die->addr};
    struct unit **found = tfind(&key, &index->units, compare_units);
    if (found)
        return *found;
    struct unit made = key, *unit = pool_alloc(pool, sizeof *unit);
    add_children(&made, die, 0);
    *unit = made;
    unit->ranges = pool_array(pool, made.count, sizeof *made.ranges);
    for (size_t i = 0; i < made.count; i++)
        unit->ranges[i] = made.ranges[i];
    free(made.ranges);
    if (unit->count)
        qsort(unit->ranges, unit->count, sizeof *unit->ranges, compare_ranges);
    tsearch(unit, &index->units, compare_units);
    return unit;
}

bool function_at(struct function_index *index, struct pool *pool, Dwarf_Die *unit_die, Dwarf_Addr address,
                 Dwarf_Die *function) {
    const struct unit *unit = unit_of(index, pool, unit_die);
    size_t low = 0, high = unit->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (unit->ranges[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || address >= unit->ranges[low - 1].high)
        return false;
    *function = unit->ranges[low - 1].function;
    return true;
}

static void keep(void *node) { (void)node; }

void function_index_free(struct function_index *index) { tdestroy(index->units, keep); }
