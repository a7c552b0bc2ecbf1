/* Which part of a static variable an address is, from DWARF types: "[3].lock". */
#ifndef LOCKGRAPH_COMMAND_SYMBOLS_TYPE_H
#define LOCKGRAPH_COMMAND_SYMBOLS_TYPE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

#include "pool.h"

/* Variables of one module by address; made at the first question. */
struct variable_index {
    bool made;
    size_t count;
    struct typed_variable {
        Dwarf_Addr address; /* in the module's own numbering, as offsets are */
        Dwarf_Die die;
    } * variables;
};

/* The path within the variable at `address` to the lock `displacement` bytes
 * into it; "" when the variable itself is the lock, NULL when not known. */
const char *variable_path(struct pool *pool, struct variable_index *index, Dwfl_Module *module,
                          uint64_t address, uint64_t displacement);
void variable_index_free(struct variable_index *index);

#endif
