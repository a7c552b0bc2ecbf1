/* One waiting thread as an edge of a finding: what it waits for, and what it
 * holds meanwhile.  The wait is verified before and after by its sequence. */
#ifndef LOCKGRAPH_ENGINE_WAIT_EDGE_H
#define LOCKGRAPH_ENGINE_WAIT_EDGE_H

#include "engine/thread.h"

/* The wait as it is followed in the wait-for graph. */
void lge_edge_of_wait(struct lge_finding_edge *edge, const struct lge_thread *thread);
/* Where it waits for a condition: that, not the mutex that it must have back. */
void lge_edge_at_condition(struct lge_finding_edge *edge, const struct lge_thread *thread);
/* A copy of its held stack, so that what follows can be read at leisure; false
 * when memory is out. */
bool lge_edge_copy_held(struct lge_finding_edge *edge, const struct lge_thread *thread);
/* The lock of that id is what another one wants of it. */
void lge_edge_wanted(struct lge_finding_edge *edge, uint64_t lock);
/* The array, which has room for so many, and the copies. */
void lge_edges_free(struct lge_finding_edge *edges, size_t room);
/* The locks that it holds need records, or their names would be lost.  Under the
 * table lock and the list lock. */
void lge_edge_obtain_records(const struct lge_thread *thread);

/* Whether it waits for a condition, under whatever it holds. */
bool lge_waits_for_condition(const struct lge_thread *thread);

#endif
