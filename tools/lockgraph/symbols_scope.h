/* What is inlined where in a function, one index per function: walking its entries for each
 * address reads all of a large function again and again. */
#ifndef LOCKGRAPH_COMMAND_SYMBOLS_SCOPE_H
#define LOCKGRAPH_COMMAND_SYMBOLS_SCOPE_H

#include <elfutils/libdw.h>

#include "pool.h"

struct scope_index {
    void *functions; /* tsearch tree, by entry */
};

#define DEEPEST_INLINING 64

/* The inlined functions around `address` in `function`, outermost first, into `chain`; how
 * many, at most DEEPEST_INLINING. */
size_t inlined_at(struct scope_index *index, struct pool *pool, Dwarf_Die *function, Dwarf_Addr address,
                  Dwarf_Die *chain);
void scope_index_free(struct scope_index *index);

#endif
