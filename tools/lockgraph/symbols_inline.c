#include "symbols_inline.h"

#include <dwarf.h>
#include <stdlib.h>

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

static const char *function_name(struct pool *pool, Dwarf_Die *die) {
    Dwarf_Attribute memory;
    Dwarf_Attribute *linkage = dwarf_attr_integrate(die, DW_AT_linkage_name, &memory);
    if (!linkage)
        linkage = dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &memory);
    const char *name = linkage ? dwarf_formstring(linkage) : NULL;
    if (!name) {
        Dwarf_Attribute *plain = dwarf_attr_integrate(die, DW_AT_name, &memory);
        name = plain ? dwarf_formstring(plain) : NULL;
    }
    return name ? demangled(pool, name) : NULL;
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

static void set_function(struct pool *pool, Dwarf_Die *die, uint64_t address, struct code_frame *frame) {
    Dwarf_Addr low = 0;
    frame->function = function_name(pool, die);
    frame->function_line = declared_line(die);
    if (dwarf_entrypc(die, &low) == 0 && low <= address)
        frame->function_offset = address - low + 1;
}

struct code_frames inlined_frames(struct pool *pool, Dwarf_Die *unit, uint64_t address,
                                  struct code_frame frame) {
    Dwarf_Die *scopes = NULL;
    int scope_count = concrete_scopes(unit, address, &scopes);
    struct code_frame *frames = pool_array(pool, (size_t)scope_count + 1, sizeof *frames);
    size_t count = 0;
    for (int i = 0; i < scope_count; i++) {
        bool inlined;
        if (!is_function(&scopes[i], &inlined))
            continue;
        frame.inlined = inlined;
        set_function(pool, &scopes[i], address, &frame);
        frames[count++] = frame;
        if (!inlined)
            break;
        set_call_site(pool, unit, &scopes[i], &frame);
    }
    free(scopes);
    return (struct code_frames){count, frames};
}
