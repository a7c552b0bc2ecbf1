/* The memory budget: records of locks that are gone are collected, so that a
 * program whose locks come and go in the heap, without any destroy call, does
 * not grow by us. */
#ifndef LOCKGRAPH_ENGINE_COLLECT_H
#define LOCKGRAPH_ENGINE_COLLECT_H

#include "engine/engine.h"

void lge_collect_start(const struct lge_config *config);
/* Before a record is made, without any engine lock: collects when the number of
 * records has doubled since the last time or the budget is spent.  False: the
 * budget is spent by what is alive; the caller records nothing. */
bool lge_collect_room(void);

/* True while a cache may take `size` more bytes: caches leave half of the
 * budget to the evidence, which can be collected as they cannot. */
bool lge_collect_spare(size_t size);
void lge_collect_reset(void);

#endif
