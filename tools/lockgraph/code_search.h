/* Code by name: what functions, and what source lines, are at which addresses of a
 * module.  Inlined copies count. */
#ifndef LOCKGRAPH_COMMAND_CODE_SEARCH_H
#define LOCKGRAPH_COMMAND_CODE_SEARCH_H

#include "spans.h"
#include "symbols.h"

/* Functions whose name (with or without parameters) matches `pattern`. */
void find_functions(struct pool *pool, struct module_symbols *module, const char *pattern,
                    struct spans *found);
/* Lines of files whose path, or the end of it, matches `file`; line 0: all of them. */
void find_lines(struct pool *pool, struct module_symbols *module, const char *file, unsigned line,
                struct spans *found);

#endif
