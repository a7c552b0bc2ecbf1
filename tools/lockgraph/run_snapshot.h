/* What every thread of a program does that hangs: what `lockgraph inspect` says of it. */
#ifndef LOCKGRAPH_COMMAND_RUN_SNAPSHOT_H
#define LOCKGRAPH_COMMAND_RUN_SNAPSHOT_H

#include <stdbool.h>
#include <sys/types.h>

#include "model.h"

/* To the standard error; or why it cannot be told. */
void tell_snapshot(pid_t pid, bool color);

/* Of each process of the model that runs, who began last first, and of `child`, which
 * need not have recorded anything. */
void tell_snapshots(const struct model *model, pid_t child, bool color);

#endif
