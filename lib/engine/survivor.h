/* The one thread that is left in a forked process.  A mutex that it took before
 * names it by the id that it had then, and so it does for ever: what it holds it
 * can still give up, and nobody else can.
 *
 * Written by that thread before the child has another; read by any. */
#ifndef LOCKGRAPH_ENGINE_SURVIVOR_H
#define LOCKGRAPH_ENGINE_SURVIVOR_H

#include "engine/thread.h"

/* In the child: `tid` is the id of before. */
void lge_survivor_set(struct lge_thread *thread, uint32_t tid);
/* The thread that had that id before the fork, while it lives; or NULL. */
struct lge_thread *lge_survivor_by_tid(uint32_t tid);
void lge_survivor_reset(void);

#endif
