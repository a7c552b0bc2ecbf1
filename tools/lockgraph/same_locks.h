/* Whether processes that took locks of the same classes took the very same locks.
 *
 * That locks are process-shared does not say so: each worker may have a slot of a shared
 * array, or, after exec, memory of its own.  A lock is known again by its family of processes
 * (kin.h), address and id, one of a file by its class.  Of one place the evidence has the
 * locks of the first sighting only: who met on later ones is not found here. */
#ifndef LOCKGRAPH_COMMAND_SAME_LOCKS_H
#define LOCKGRAPH_COMMAND_SAME_LOCKS_H

#include "graph_rings.h"

struct same_locks;

/* Lives as long as the model. */
struct same_locks *same_locks_of(struct model *model, const struct pair_graph *graph);

/* The ring closes over single locks that are common to whoever took them; where `at_once`, seen by
 * two processes or more that were kin. */
bool same_locks_meet(struct same_locks *same, const struct ring *ring, bool at_once);

/* All that saw any of it are of one family: locks that differ there are different ones. */
bool of_one_memory(const struct same_locks *same, const struct ring *ring);

#endif
