/* Fork: the engine's state stays usable in the child. */
#ifndef LOCKGRAPH_ENGINE_LIFECYCLE_H
#define LOCKGRAPH_ENGINE_LIFECYCLE_H

#include "engine/engine.h"

/* In the forking thread: prepare takes every lock of the engine, parent and
 * child give them back.  In the child `self` is the only thread left (NULL: it
 * has no block), `tid` its new kernel id. */
void lge_fork_prepare(void);
void lge_fork_parent(void);
void lge_fork_child(struct lge_thread *self, uint32_t tid);

#endif
