/* A hand-over that need not have been seen: one thread of a cycle signals a condition
 * variable for which another one of it waits at times.  When that one comes late, the
 * flag is set already and it does not wait: then a mutex is all that passed between
 * the two, and that orders nothing for the runtime.  So the report says so. */
#ifndef LOCKGRAPH_COMMAND_HAND_OVER_H
#define LOCKGRAPH_COMMAND_HAND_OVER_H

#include "model.h"

/* Fills finding->hand_over of a feasible cycle. */
void find_hand_over(struct model *model, struct model_process *process, struct model_finding *finding);
/* Half a sentence behind the reason; "" where there is none. */
const char *tell_hand_over(struct pool *pool, const struct model_finding *finding);

#endif
