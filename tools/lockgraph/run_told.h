/* The launcher's side of what the runtime tells it without a file: record/told.h. */
#ifndef LOCKGRAPH_COMMAND_RUN_TOLD_H
#define LOCKGRAPH_COMMAND_RUN_TOLD_H

#include "pool.h"
#include "record/told.h"

/* Makes the page; `option` gets what tells the runtime of it.  NULL: it cannot be made, and
 * the run goes on without. */
const struct lgr_told *told_make(struct pool *pool, const char **option);

#endif
