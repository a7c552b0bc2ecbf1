/* A snapshot from whatever a command line names. */
#ifndef LOCKGRAPH_COMMAND_SNAPSHOT_LOAD_H
#define LOCKGRAPH_COMMAND_SNAPSHOT_LOAD_H

#include "snapshot.h"

struct snapshot_side {
    struct model *model; /* it was made from; NULL: a JSON report */
    struct snapshot snapshot;
};

/* From a directory or file of evidence, or a JSON report.  False after complaining; to be
 * freed either way, before `pool`.  `suppressions` NULL: none. */
bool snapshot_load(struct pool *pool, const char *path, const struct suppressions *suppressions,
                   struct snapshot_side *side);
void snapshot_unload(struct snapshot_side *side);

#endif
