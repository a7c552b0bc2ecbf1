#include "code_search.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <string.h>

#include "demangle.h"
#include "suppress.h"
#include "symbols_table.h"
#include "symbols_unit.h"

/* What is looked for, and where. */
struct search {
    struct pool *pool;
    const char *function; /* NULL: a line */
    const char *file;
    unsigned line;
    struct spans *found;
    Dwarf_Addr bias; /* of the unit */
    Dwarf_Die *unit;
    Dwarf_Files *files;
    const char *last_source; /* one line after the other is of one file */
    bool last_matches;
};

static bool function_matches(struct search *search, const char *symbol) {
    return pattern_matches(search->function, demangled(search->pool, symbol, false)) ||
           pattern_matches(search->function, demangled(search->pool, symbol, true));
}

static bool source_matches(struct search *search, const char *source) {
    if (!source)
        return false;
    if (source != search->last_source) {
        search->last_source = source;
        search->last_matches =
            pattern_matches_path(search->file, source_path(search->pool, search->unit, source));
    }
    return search->last_matches;
}

/* ---- inlined calls ---- */

static const char *symbol_of(Dwarf_Die *entry) {
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(entry, DW_AT_linkage_name, &attribute));
    return name ? name : dwarf_diename(entry);
}

static Dwarf_Word number_in(Dwarf_Die *entry, unsigned attribute_name) {
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    dwarf_formudata(dwarf_attr(entry, attribute_name, &attribute), &value);
    return value;
}

static bool called_from_line(struct search *search, Dwarf_Die *entry) {
    unsigned line = (unsigned)number_in(entry, DW_AT_call_line);
    if (!line || (search->line && line != search->line) || !search->files)
        return false;
    return source_matches(search,
                          dwarf_filesrc(search->files, number_in(entry, DW_AT_call_file), NULL, NULL));
}

static bool inlined_matches(struct search *search, Dwarf_Die *entry) {
    if (!search->function)
        return called_from_line(search, entry);
    const char *symbol = symbol_of(entry);
    return symbol && function_matches(search, symbol);
}

static void add_ranges(struct search *search, Dwarf_Die *entry) {
    Dwarf_Addr base, start, end;
    for (ptrdiff_t next = 0; (next = dwarf_ranges(entry, next, &base, &start, &end)) > 0;)
        spans_add(search->found, start + search->bias, end + search->bias);
}

static void walk(struct search *search, Dwarf_Die *parent) {
    Dwarf_Die entry;
    if (dwarf_child(parent, &entry) != 0)
        return;
    do {
        if (dwarf_tag(&entry) == DW_TAG_inlined_subroutine && inlined_matches(search, &entry))
            add_ranges(search, &entry);
        walk(search, &entry);
    } while (dwarf_siblingof(&entry, &entry) == 0);
}

/* ---- lines ---- */

static void add_lines(struct search *search) {
    Dwarf_Lines *lines = NULL;
    size_t count = 0;
    if (dwarf_getsrclines(search->unit, &lines, &count) != 0)
        return;
    for (size_t i = 0; i + 1 < count; i++) {
        Dwarf_Line *row = dwarf_onesrcline(lines, i), *next = dwarf_onesrcline(lines, i + 1);
        Dwarf_Addr start, end;
        bool ends = false;
        int number = 0;
        if (dwarf_lineendsequence(row, &ends) != 0 || ends || dwarf_lineno(row, &number) != 0 ||
            (search->line && (unsigned)number != search->line) ||
            !source_matches(search, dwarf_linesrc(row, NULL, NULL)) || dwarf_lineaddr(row, &start) != 0 ||
            dwarf_lineaddr(next, &end) != 0)
            continue;
        spans_add(search->found, start + search->bias, end + search->bias);
    }
}

/* ---- all units ---- */

static void search_units(struct search *search, struct module_symbols *module) {
    Dwfl_Module *dwfl = module_dwfl(module);
    Dwarf_Die *unit = NULL;
    size_t count;
    while (dwfl && (unit = dwfl_module_nextcu(dwfl, unit, &search->bias))) {
        search->unit = unit;
        search->last_source = NULL;
        if (dwarf_getsrcfiles(unit, &search->files, &count) != 0)
            search->files = NULL;
        if (!search->function)
            add_lines(search);
        walk(search, unit);
    }
}

static bool is_code(const struct symbol *symbol) {
    return symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC;
}

void find_functions(struct pool *pool, struct module_symbols *module, const char *pattern,
                    struct spans *found) {
    struct search search = {.pool = pool, .function = pattern, .found = found};
    const struct symbol_table *table = module_table(module);
    for (size_t i = 0; table && i < table->count; i++)
        if (is_code(&table->symbols[i]) && function_matches(&search, table->symbols[i].name))
            spans_add(found, table->symbols[i].address, table->symbols[i].address + table->symbols[i].size);
    search_units(&search, module);
}

void find_lines(struct pool *pool, struct module_symbols *module, const char *file, unsigned line,
                struct spans *found) {
    struct search search = {.pool = pool, .file = file, .line = line, .found = found};
    search_units(&search, module);
}
