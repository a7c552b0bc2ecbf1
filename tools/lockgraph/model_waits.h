/* The part of the model that tells who waits for what in processes that did
 * not end: running, hung or killed. */
#ifndef LOCKGRAPH_COMMAND_MODEL_WAITS_H
#define LOCKGRAPH_COMMAND_MODEL_WAITS_H

#include "model.h"

void collect_waits(struct model *model);

/* What such a wait is for, after "waits for"; `lock` for one that is for a lock, and `target` as
 * enum lgr_wait_kind says, or 0: not known.  Of the pool, or lives for ever. */
const char *waited_for(struct model *model, struct model_process *process, uint32_t kind, uint64_t target,
                       const struct model_lock *lock);

#endif
