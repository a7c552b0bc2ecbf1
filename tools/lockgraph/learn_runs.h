/* Arrays of locks in files without symbols. */
#ifndef LOCKGRAPH_COMMAND_LEARN_RUNS_H
#define LOCKGRAPH_COMMAND_LEARN_RUNS_H

#include "seen.h"

/* Adds to `splits` the runs of nameless variables with one distance. */
void learn_runs(struct pool *pool, const struct seen *seen, struct seen_splits *splits);

#endif
