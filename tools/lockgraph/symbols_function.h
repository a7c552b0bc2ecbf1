/* The functions of a module's debug information by address, one index per
 * compilation unit: libdw's own search reads the whole unit for every
 * address. */
#ifndef LOCKGRAPH_COMMAND_SYMBOLS_FUNCTION_H
#define LOCKGRAPH_COMMAND_SYMBOLS_FUNCTION_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "pool.h"

struct function_index {
    void *units; /* tsearch tree, by unit */
};

/* The function with code at `address` (in the unit's numbering). */
bool function_at(struct function_index *index, struct pool *pool, Dwarf_Die *unit, Dwarf_Addr address,
                 Dwarf_Die *function);
void function_index_free(struct function_index *index);

#endif
