/* The call stacks of a snapshot's threads, with names. */
#ifndef LOCKGRAPH_COMMAND_SNAPSHOT_STACKS_H
#define LOCKGRAPH_COMMAND_SNAPSHOT_STACKS_H

#include "model.h"
#include "snapshot.h"

/* One a thread, in the pool; empty where nothing can be told. */
struct stack *snapshot_stacks(struct snapshot *snapshot, struct symbols *symbols);

/* A variable at that address, "table[3].lock"; NULL: none is known. */
const char *snapshot_variable(struct snapshot *snapshot, struct symbols *symbols, uint64_t address);

#endif
