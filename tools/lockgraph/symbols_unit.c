#include "symbols_unit.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

#include "text.h"

struct unit_range {
    Dwarf_Addr low, high; /* in the module's numbering */
    Dwarf_Addr bias;
    Dwarf_Die *unit; /* owned by the module */
};

static void add_unit(struct unit_index *index, Dwarf_Die *unit, Dwarf_Addr bias) {
    Dwarf_Addr base, low, high;
    ptrdiff_t at = 0;
    while ((at = dwarf_ranges(unit, at, &base, &low, &high)) > 0) {
        if (low >= high)
            continue;
        index->ranges = checked_resize(index->ranges, index->count + 1, sizeof *index->ranges);
        index->ranges[index->count++] = (struct unit_range){low + bias, high + bias, bias, unit};
    }
}

static int compare_ranges(const void *a, const void *b) {
    const struct unit_range *left = a, *right = b;
    return left->low < right->low ? -1 : left->low > right->low;
}

static void make(struct unit_index *index, Dwfl_Module *module) {
    Dwarf_Addr bias = 0;
    index->made = true;
    for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(module, unit, &bias));)
        add_unit(index, unit, bias);
    if (index->count)
        qsort(index->ranges, index->count, sizeof *index->ranges, compare_ranges);
}

Dwarf_Die *unit_at(struct unit_index *index, Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias) {
    if (!index->made)
        make(index, module);
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->ranges[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || address >= index->ranges[low - 1].high)
        return NULL;
    *bias = index->ranges[low - 1].bias;
    return index->ranges[low - 1].unit;
}

void unit_index_free(struct unit_index *index) { free(index->ranges); }

static const char *directory_of(Dwarf_Die *unit) {
    Dwarf_Attribute memory;
    return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &memory));
}

const char *source_path(struct pool *pool, Dwarf_Die *unit, const char *file) {
    const char *directory = file[0] == '/' ? NULL : directory_of(unit);
    return text_clean(pool, directory ? pool_printf(pool, "%s/%s", directory, file) : file);
}

void set_line(struct source_names *names, struct pool *pool, Dwarf_Die *unit, Dwarf_Addr address,
              struct code_frame *frame) {
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    int number = 0;
    const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (!file || dwarf_lineno(line, &number) != 0 || number <= 0)
        return;
    const struct source_name *name = source_name_of(names, pool, unit, file);
    frame->file = name->shown;
    frame->recorded = name->recorded;
    frame->line = (unsigned)number;
}
