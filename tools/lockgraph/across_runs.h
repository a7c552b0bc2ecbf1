/* Orders that contradict each other though no process saw both: rings in the order graph of
 * everything that was read whose pairs come from different processes or runs. */
#ifndef LOCKGRAPH_COMMAND_ACROSS_RUNS_H
#define LOCKGRAPH_COMMAND_ACROSS_RUNS_H

#include "model.h"

/* Calls `add` with a finding, all but its words, for each such ring: the shortest
 * through each pair, within a budget of work.  A ring that one process saw as a
 * whole was graded there, with all that is known of it, and is left out. */
void across_runs(struct model *model, void (*add)(struct model *model, const struct model_finding *finding));

#endif
