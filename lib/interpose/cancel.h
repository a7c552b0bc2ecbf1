/* How a thread ends, where it matters: by its own will, or cancelled. */
#ifndef LOCKGRAPH_INTERPOSE_CANCEL_H
#define LOCKGRAPH_INTERPOSE_CANCEL_H

#include <stdbool.h>

#include "engine/thread.h"

/* In the clean-up of a thread's first frame, which it left without returning:
 * whether it was cancelled. */
static inline bool lgi_cancelled(const struct lge_thread *thread) { return !thread->exits; }
/* The thread was cancelled and all its clean-up handlers have run: what it still
 * holds is said. */
void lgi_cancel_ended(struct lge_thread *thread);

#endif
