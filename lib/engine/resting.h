/* Findings that rest on a semaphore being a lock: kept, so that they can be lowered
 * should somebody post it who does not hold it.  Under the graph lock. */
#ifndef LOCKGRAPH_ENGINE_RESTING_H
#define LOCKGRAPH_ENGINE_RESTING_H

#include "engine/engine.h"

/* A copy of its own.  NULL: it rests on no semaphore, is a note anyway, or memory is
 * out. */
struct lge_finding *lge_resting_copy(const struct lge_finding *finding);
bool lge_resting_on(const struct lge_finding *copy, uint64_t semaphore);
/* Makes a note of it: of a deadlock the cycle of orders that it is at most. */
void lge_resting_lower(struct lge_finding *copy);
void lge_resting_free(struct lge_finding *copy); /* may be NULL */

#endif
