/* Blocking calls under a lock: a finding of kind blocked-under-lock.  That the call
 * was made, and took long, is the front end's to know. */
#ifndef LOCKGRAPH_ENGINE_BLOCKED_H
#define LOCKGRAPH_ENGINE_BLOCKED_H

#include "engine/thread.h"

/* The newest hold that should not be there during a blocking call; NULL: none.  Not
 * locks of files, semaphores that may be signals, and LGE_MAY_BLOCK. */
const struct lge_held *lge_blocked_under(const struct lge_thread *thread);
/* The thread's newest hold of `address`, which it just took, may be. */
void lge_blocked_allow(struct lge_thread *thread, const void *address);
void lge_blocked_report(struct lge_thread *thread, const struct lge_held *held, enum lgr_blocking kind,
                        uintptr_t site, uintptr_t sp);

#endif
