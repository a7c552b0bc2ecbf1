#include "symbols_inline.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "text.h"

/* The concrete scopes around `address`, innermost first.  dwarf_getscopes
 * leaves the concrete tree at an inlined function (it goes on in the abstract
 * one), hence the second step from the innermost concrete entry. */
static int concrete_scopes(Dwarf_Die *unit, uint64_t address, Dwarf_Die **scopes) {
    Dwarf_Die *found = NULL;
    if (dwarf_getscopes(unit, address, &found) <= 0)
        return 0;
    Dwarf_Die innermost = found[0];
    free(found);
    int count = dwarf_getscopes_die(&innermost, scopes);
    return count > 0 ? count : 0;
}

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
static const char *qualified_name(struct pool *pool, Dwarf_Die *die) {
    Dwarf_Die inner = declaration(*die), *scopes = NULL;
    const char *name = attribute_string(die, DW_AT_name);
    int count = name ? dwarf_getscopes_die(&inner, &scopes) : 0;
    for (int i = 1; i < count; i++) {
        const char *around = scope_name(pool, &scopes[i]);
        if (i == 1 && is_closure(&scopes[i], name))
            name = "{lambda}";
        else if (around)
            name = pool_printf(pool, "%s::%s", around, name);
    }
    free(scopes);
    return name ? text_clean(pool, name) : NULL;
}

static unsigned declared_line(Dwarf_Die *die) {
    int line = 0;
    return dwarf_decl_line(die, &line) == 0 && line > 0 ? (unsigned)line : 0;
}

static const char *file_by_number(struct pool *pool, Dwarf_Die *unit, Dwarf_Word number) {
    Dwarf_Files *files = NULL;
    size_t count = 0;
    if (dwarf_getsrcfiles(unit, &files, &count) != 0 || number >= count)
        return NULL;
    const char *name = dwarf_filesrc(files, number, NULL, NULL);
    return name ? text_clean(pool, name) : NULL;
}

/* Where the inlined function `die` was called: the place the frame outside of
 * it stands at. */
static void set_call_site(struct pool *pool, Dwarf_Die *unit, Dwarf_Die *die, struct code_frame *outer) {
    Dwarf_Attribute memory;
    Dwarf_Word value = 0;
    outer->file = NULL;
    outer->line = 0;
    Dwarf_Attribute *attribute = dwarf_attr(die, DW_AT_call_file, &memory);
    if (attribute && dwarf_formudata(attribute, &value) == 0)
        outer->file = file_by_number(pool, unit, value);
    attribute = dwarf_attr(die, DW_AT_call_line, &memory);
    if (attribute && dwarf_formudata(attribute, &value) == 0)
        outer->line = (unsigned)value;
}

static bool is_function(Dwarf_Die *die, bool *inlined) {
    int tag = dwarf_tag(die);
    *inlined = tag == DW_TAG_inlined_subroutine;
    return *inlined || tag == DW_TAG_subprogram;
}

static void set_function(struct pool *pool, Dwarf_Die *die, uint64_t address, const char *symbol,
                         struct code_frame *frame) {
    Dwarf_Addr low = 0;
    const char *mangled = linkage_name(die);
    if (!mangled && !frame->inlined)
        mangled = symbol;
    frame->function = mangled ? demangled(pool, mangled, true) : qualified_name(pool, die);
    frame->name = mangled ? demangled(pool, mangled, false) : frame->function;
    frame->function_line = declared_line(die);
    if (dwarf_entrypc(die, &low) == 0 && low <= address)
        frame->function_offset = address - low + 1;
}

struct code_frames inlined_frames(struct pool *pool, Dwarf_Die *unit, uint64_t address,
                                  struct code_frame frame, const char *symbol) {
    Dwarf_Die *scopes = NULL;
    int scope_count = concrete_scopes(unit, address, &scopes);
    struct code_frame *frames = pool_array(pool, (size_t)scope_count + 1, sizeof *frames);
    size_t count = 0;
    for (int i = 0; i < scope_count; i++) {
        bool inlined;
        if (!is_function(&scopes[i], &inlined))
            continue;
        frame.inlined = inlined;
        set_function(pool, &scopes[i], address, symbol, &frame);
        frames[count++] = frame;
        if (!inlined)
            break;
        set_call_site(pool, unit, &scopes[i], &frame);
    }
    free(scopes);
    return (struct code_frames){count, frames};
}
