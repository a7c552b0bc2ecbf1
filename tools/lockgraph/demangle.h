/* Mangled C++ and Rust names to readable ones. */
#ifndef LOCKGRAPH_COMMAND_DEMANGLE_H
#define LOCKGRAPH_COMMAND_DEMANGLE_H

#include <stdbool.h>

#include "pool.h"

/* `symbol` readable and clean (text.h): demangled, compiler suffixes (.cold,
 * .constprop.0, .isra.1, .part.2, .0 of a local static) and versions (@@GLIBC_2.34)
 * dropped. */
char *demangled(struct pool *pool, const char *symbol, bool parameters);

/* Both forms of symbols that stay where they are, like those of a symbol table: found again
 * by their address, since C++ names are long and come in thousands of frames. */
struct demangled_names {
    void *known; /* tsearch tree */
};
struct demangled_name {
    const char *function; /* with parameters */
    const char *name;
};
const struct demangled_name *demangled_name(struct demangled_names *names, struct pool *pool,
                                            const char *symbol);
void demangled_names_free(struct demangled_names *names);

#endif
