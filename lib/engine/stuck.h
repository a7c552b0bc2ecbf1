/* Whether a wait can ever end, where one holder of many is enough to end it.
 *
 * A ring in the wait-for graph is a deadlock when each waits for just one other.
 * A semaphore of n slots needs one slot back, so all who hold one must be stuck,
 * each by its own wait.  Computed as a set of waiting threads, closed under
 * "waits for": nobody in it can go on, since everybody waits for members only.
 *
 * A semaphore need not be a lock, and before its first post nobody can tell: a
 * buffer of two empty places looks like a pool of two.  One that no holder ever
 * posted counts when all other threads wait, too, or, with one slot held by
 * another thread of the set, when half a second brought no post. */
#ifndef LOCKGRAPH_ENGINE_STUCK_H
#define LOCKGRAPH_ENGINE_STUCK_H

#include "engine/thread.h"

/* True for waits for which a ring is enough. */
bool lge_stuck_by_ring(const struct lge_thread *thread);
/* Whether the calling thread, which waits, and all whom it waits for, are in
 * such a set. */
bool lge_stuck(struct lge_thread *thread);

#endif
