/* A declared order made into the table that the runtime reads (record/order_table.h). */
#ifndef LOCKGRAPH_COMMAND_ORDER_COMPILE_H
#define LOCKGRAPH_COMMAND_ORDER_COMPILE_H

#include "data_dir.h"
#include "order_file.h"
#include "symbols.h"

/* What the rules could be about: the program, its libraries, and the files that rules
 * name as modules. */
void order_modules(struct pool *pool, const struct order *order, const char *program,
                   struct path_list *modules);

/* Fills `block`; uses[i] (zeroed by the caller) says in how many modules rule i found
 * something. */
void order_compile(struct pool *pool, const struct order *order, const struct path_list *modules,
                   uint64_t key, struct text *block, size_t *uses);

#endif
