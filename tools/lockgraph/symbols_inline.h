/* The chain of functions inlined at an address, from DWARF. */
#ifndef LOCKGRAPH_COMMAND_SYMBOLS_INLINE_H
#define LOCKGRAPH_COMMAND_SYMBOLS_INLINE_H

#include <elfutils/libdw.h>

#include "demangle.h"
#include "symbols.h"
#include "symbols_function.h"
#include "symbols_scope.h"

/* What was made out about one module. */
struct inline_index {
    struct source_names *sources;      /* of the symbols */
    struct demangled_names *demangled; /* of the symbols, too */
    struct pool *frames;               /* the same: where the chains are */
    struct function_index functions;
    struct scope_index scopes;
    void *names; /* tsearch tree of qualified names, by entry */
};

/* Expands `frame` (module, offset and the innermost file and line are set) by
 * what `unit` says about `address`.  `symbol` is the symbol table's name for
 * the function that is not inlined, or NULL.  Count 0: the unit does not know. */
struct code_frames inlined_frames(struct inline_index *index, struct pool *pool, Dwarf_Die *unit,
                                  uint64_t address, struct code_frame frame, const char *symbol);
void inline_index_free(struct inline_index *index);

#endif
