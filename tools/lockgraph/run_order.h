/* The declared order of a run: made into a table, and handed to the runtime. */
#ifndef LOCKGRAPH_COMMAND_RUN_ORDER_H
#define LOCKGRAPH_COMMAND_RUN_ORDER_H

#include "order_file.h"

/* Warns of rules that find nothing in `program` and what goes with it.  The descriptor
 * stays open: processes that outlive the program may still start others.  NULL: the
 * table cannot be handed over, for the reason in `error`. */
const char *order_hand_over(struct pool *pool, const struct order *order, const char *program,
                            const char **error);

/* The same by way of the file `path`, which is replaced as a whole, for programs that
 * something else starts later.  The value for the option; NULL: it cannot be written, for
 * the reason in `error`. */
const char *order_save(struct pool *pool, const struct order *order, const char *program, const char *path,
                       const char **error);

#endif
