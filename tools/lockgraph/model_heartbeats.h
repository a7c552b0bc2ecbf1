/* Missing heartbeats that `lockgraph run` saw, as findings: the process itself recorded
 * none. */
#ifndef LOCKGRAPH_COMMAND_MODEL_HEARTBEATS_H
#define LOCKGRAPH_COMMAND_MODEL_HEARTBEATS_H

#include <stdbool.h>

#include "pool.h"
#include "record/reader.h"

/* False: that one is not missing, or recorded. */
bool missing_heartbeat(struct pool *pool, const struct lgr_file *file, const struct lgr_heartbeat *heartbeat,
                       struct lgr_finding_info *info);

#endif
