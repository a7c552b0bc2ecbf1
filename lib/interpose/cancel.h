/* How a thread ends, where it matters: by its own will, or cancelled. */
#ifndef LOCKGRAPH_INTERPOSE_CANCEL_H
#define LOCKGRAPH_INTERPOSE_CANCEL_H

#include "engine/thread.h"

/* The thread was cancelled and all its clean-up handlers have run: what it still
 * holds is said. */
void lgi_cancel_ended(struct lge_thread *thread);

#endif
