#include "symbols_inline.h"

#include <dwarf.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "symbols_unit.h"
#include "text.h"

/* ---- names ---- */

static const char *attribute_string(Dwarf_Die *die, unsigned name) {
    Dwarf_Attribute memory, *attribute = dwarf_attr_integrate(die, name, &memory);
    return attribute ? dwarf_formstring(attribute) : NULL;
}

static const char *linkage_name(Dwarf_Die *die) {
    const char *name = attribute_string(die, DW_AT_linkage_name);
    return name ? name : attribute_string(die, DW_AT_MIPS_linkage_name);
}

/* The entry that stands where the function was declared: its parents are the
 * namespaces and classes around it. */
static Dwarf_Die declaration(Dwarf_Die die) {
    static const unsigned links[] = {DW_AT_abstract_origin, DW_AT_specification};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        Dwarf_Attribute memory;
        Dwarf_Die target;
        if (dwarf_formref_die(dwarf_attr(&die, links[i], &memory), &target))
            die = target;
    }
    return die;
}

static const char *scope_name(struct pool *pool, Dwarf_Die *scope) {
    const char *name = dwarf_diename(scope);
    switch (dwarf_tag(scope)) {
    case DW_TAG_namespace:
        return name ? name : "(anonymous)";
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
        return name;
    case DW_TAG_subprogram:
        return name ? pool_printf(pool, "%s()", name) : NULL;
    default:
        return NULL;
    }
}

static bool is_closure(Dwarf_Die *scope, const char *function) {
    int tag = dwarf_tag(scope);
    const char *name = dwarf_diename(scope);
    bool class = tag == DW_TAG_class_type || tag == DW_TAG_structure_type;
    return class && (!name || strncmp(name, "<lambda", 7) == 0) && strcmp(function, "operator()") == 0;
}

/* For functions without a symbol of their own: "bank::Account::debit". */
static const char *qualified_name(struct pool *pool, Dwarf_Die *die, const char *name) {
    Dwarf_Die *scopes = NULL;
    int count = dwarf_getscopes_die(die, &scopes);
    for (int i = 1; i < count; i++) {
        const char *around = scope_name(pool, &scopes[i]);
        if (i == 1 && is_closure(&scopes[i], name))
            name = "{lambda}";
        else if (around)
            name = pool_printf(pool, "%s::%s", around, name);
    }
    free(scopes);
    return text_clean(pool, name);
}

struct cached_name {
    const void *entry;
    const char *name;
};

static int compare_names(const void *a, const void *b) {
    const struct cached_name *left = a, *right = b;
    return (const char *)left->entry < (const char *)right->entry
               ? -1
               : (const char *)left->entry > (const char *)right->entry;
}

static bool has_scopes(Dwarf_Die *unit) {
    int language = dwarf_srclang(unit);
    return language != DW_LANG_C && language != DW_LANG_C89 && language != DW_LANG_C99 &&
           language != DW_LANG_C11;
}

/* Looking for what is around an entry reads its unit: once per entry. */
static const char *plain_name(struct inline_index *index, struct pool *pool, Dwarf_Die *unit,
                              Dwarf_Die *die) {
    const char *name = attribute_string(die, DW_AT_name);
    if (!name || !has_scopes(unit))
        return name ? text_clean(pool, name) : NULL;
    Dwarf_Die declared = declaration(*die);
    struct cached_name key = {declared.addr, NULL}, **found = tfind(&key, &index->names, compare_names);
    if (found)
        return (*found)->name;
    struct cached_name *entry = pool_alloc(pool, sizeof *entry);
    *entry = (struct cached_name){declared.addr, qualified_name(pool, &declared, name)};
    tsearch(entry, &index->names, compare_names);
    return entry->name;
}

/* ---- one function ---- */

static unsigned declared_line(Dwarf_Die *die) {
    int line = 0;
    return dwarf_decl_line(die, &line) == 0 && line > 0 ? (unsigned)line : 0;
}

static const struct source_name *file_by_number(struct source_names *names, struct pool *pool,
                                                Dwarf_Die *unit, Dwarf_Word number) {
    Dwarf_Files *files = NULL;
    size_t count = 0;
    if (dwarf_getsrcfiles(unit, &files, &count) != 0 || number >= count)
        return NULL;
    const char *name = dwarf_filesrc(files, number, NULL, NULL);
    return name ? source_name_of(names, pool, unit, name) : NULL;
}

/* Where the inlined function `die` was called: the place the frame outside of
 * it stands at. */
static void set_call_site(struct source_names *names, struct pool *pool, Dwarf_Die *unit, Dwarf_Die *die,
                          struct code_frame *outer) {
    Dwarf_Attribute memory;
    Dwarf_Word value = 0;
    const struct source_name *file = NULL;
    outer->line = 0;
    Dwarf_Attribute *attribute = dwarf_attr(die, DW_AT_call_file, &memory);
    if (attribute && dwarf_formudata(attribute, &value) == 0)
        file = file_by_number(names, pool, unit, value);
    outer->file = file ? file->shown : NULL;
    outer->recorded = file ? file->recorded : NULL;
    attribute = dwarf_attr(die, DW_AT_call_line, &memory);
    if (attribute && dwarf_formudata(attribute, &value) == 0)
        outer->line = (unsigned)value;
}

static void set_function(struct inline_index *index, struct pool *pool, Dwarf_Die *unit, Dwarf_Die *die,
                         const char *symbol, struct code_frame *frame) {
    const char *mangled = linkage_name(die);
    if (!mangled && !frame->inlined)
        mangled = symbol;
    if (mangled) {
        const struct demangled_name *both = demangled_name(index->demangled, pool, mangled);
        frame->function = both->function;
        frame->name = both->name;
    } else {
        frame->function = frame->name = plain_name(index, pool, unit, die);
    }
    frame->function_line = declared_line(die);
}

static void set_function_offset(Dwarf_Die *die, uint64_t address, struct code_frame *frame) {
    Dwarf_Addr low = 0;
    if (dwarf_entrypc(die, &low) == 0 && low <= address)
        frame->function_offset = address - low + 1;
}

/* ---- the chain ---- */

struct code_frames inlined_frames(struct inline_index *index, struct pool *pool, Dwarf_Die *unit,
                                  uint64_t address, struct code_frame frame, const char *symbol) {
    Dwarf_Die function, chain[1 + DEEPEST_INLINING];
    if (!function_at(&index->functions, pool, unit, address, &function))
        return (struct code_frames){0};
    chain[0] = function;
    size_t count = 1 + inlined_at(&index->scopes, pool, &function, address, chain + 1);
    struct code_frame *frames = pool_array(index->frames, count, sizeof *frames);
    for (size_t i = 0; i < count; i++) {
        Dwarf_Die *die = &chain[count - 1 - i];
        frame.inlined = i + 1 < count;
        set_function(index, pool, unit, die, symbol, &frame);
        set_function_offset(die, address, &frame);
        frames[i] = frame;
        if (frame.inlined)
            set_call_site(index->sources, pool, unit, die, &frame);
    }
    return (struct code_frames){count, frames};
}

static void keep(void *node) { (void)node; }

void inline_index_free(struct inline_index *index) {
    function_index_free(&index->functions);
    scope_index_free(&index->scopes);
    tdestroy(index->names, keep);
}
