/* From names of source files in debug information to names in reports: prefixes left out,
 * moved files found. */
#ifndef LOCKGRAPH_COMMAND_SOURCE_NAMES_H
#define LOCKGRAPH_COMMAND_SOURCE_NAMES_H

#include <elfutils/libdw.h>

#include "pool.h"
#include "symbol_paths.h"

struct source_names {
    const struct symbol_paths *paths; /* NULL: none */
    void *known;                      /* tsearch tree, by unit and name */
};

struct source_name {
    const char *recorded; /* clean, absolute where that is known */
    const char *shown;    /* where the file is, or what is left of the name; mostly the same pointer */
};

/* Of `file`, as a string that the debug information of `unit` owns. */
const struct source_name *source_name_of(struct source_names *names, struct pool *pool, Dwarf_Die *unit,
                                         const char *file);
void source_names_free(struct source_names *names);

#endif
