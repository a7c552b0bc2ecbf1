/* The compilation unit and source line of an address. */
#ifndef LOCKGRAPH_COMMAND_SYMBOLS_UNIT_H
#define LOCKGRAPH_COMMAND_SYMBOLS_UNIT_H

#include <elfutils/libdwfl.h>

#include "source_names.h"
#include "symbols.h"

/* The units of one module by address, made from their own ranges: libdw goes
 * by .debug_aranges, which clang does not write. */
struct unit_index {
    bool made;
    size_t count;
    struct unit_range *ranges;
};

/* NULL: no debug information covers `address`.  *bias is what to subtract from
 * it for the unit's own addresses. */
Dwarf_Die *unit_at(struct unit_index *index, Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias);
void unit_index_free(struct unit_index *index);

/* A file as the unit names it, absolute where that is known: a compiler that was
 * given a relative path writes that one down. */
const char *source_path(struct pool *pool, Dwarf_Die *unit, const char *file);

/* Sets file and line of `frame`; leaves both alone where the unit has no line for
 * `address` (in its own addresses). */
void set_line(struct source_names *names, struct pool *pool, Dwarf_Die *unit, Dwarf_Addr address,
              struct code_frame *frame);

#endif
