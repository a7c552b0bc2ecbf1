/* The part of the model that tells who waits for what in processes that did
 * not end: running, hung or killed. */
#ifndef LOCKGRAPH_COMMAND_MODEL_WAITS_H
#define LOCKGRAPH_COMMAND_MODEL_WAITS_H

#include "model.h"

void collect_waits(struct model *model);

#endif
