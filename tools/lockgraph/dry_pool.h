/* A deadlock at a semaphore of several slots, in words: all are held by threads
 * that wait themselves.  No order of taking helps there, only more slots, or
 * giving one back before asking again. */
#ifndef LOCKGRAPH_COMMAND_DRY_POOL_H
#define LOCKGRAPH_COMMAND_DRY_POOL_H

#include "model.h"

/* The slots of a semaphore; 0 where that is not known, and for other locks. */
unsigned slots_of(const struct model_lock *lock);
/* The wait for a slot that decides a deadlock; NULL: it is none of this kind. */
const struct model_edge *dry_pool_wait(const struct model_finding *finding);
/* "pool has 3 slots, and all are held by threads that wait themselves: …".  Those
 * of them that are not in the ring are counted. */
const char *dry_pool_holders(struct pool *pool, const struct model_finding *finding);
const char *dry_pool_advice(struct pool *pool, const struct model_finding *finding);

#endif
