/* Mangled C++ and Rust names to readable ones. */
#ifndef LOCKGRAPH_COMMAND_DEMANGLE_H
#define LOCKGRAPH_COMMAND_DEMANGLE_H

#include <stdbool.h>

#include "pool.h"

/* `symbol` readable and clean (text.h): demangled, compiler suffixes (.cold,
 * .constprop.0, .isra.1, .part.2, .0 of a local static) dropped. */
char *demangled(struct pool *pool, const char *symbol, bool parameters);

#endif
