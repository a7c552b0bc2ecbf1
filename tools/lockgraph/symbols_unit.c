#include "symbols_unit.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "text.h"

/* libdw finds units through .debug_aranges, which clang does not write: where
 * that fails, each unit is asked for its own ranges. */
Dwarf_Die *unit_at(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias) {
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);
    if (unit)
        return unit;
    while ((unit = dwfl_module_nextcu(module, unit, bias)))
        if (dwarf_haspc(unit, address - *bias) > 0)
            return unit;
    return NULL;
}

static const char *directory_of(Dwarf_Die *unit) {
    Dwarf_Attribute memory;
    return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &memory));
}

void set_line(struct pool *pool, Dwarf_Die *unit, Dwarf_Addr address, struct code_frame *frame) {
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    int number = 0;
    const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (!file || dwarf_lineno(line, &number) != 0 || number <= 0)
        return;
    const char *directory = file[0] == '/' ? NULL : directory_of(unit);
    frame->file = text_clean(pool, directory ? pool_printf(pool, "%s/%s", directory, file) : file);
    frame->line = (unsigned)number;
}
