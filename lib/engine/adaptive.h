/* Adaptive time limits: for each class and operation, what 99 of 100 holds do not
 * last longer than, times a factor, between a least and a most.  Not before 100
 * holds were timed, and from then on after every further 100; old holds count half
 * as much each time there are a thousand.
 *
 * | everything | its lock | */
#ifndef LOCKGRAPH_ENGINE_ADAPTIVE_H
#define LOCKGRAPH_ENGINE_ADAPTIVE_H

#include "engine/thread.h"

enum { LGE_ADAPTIVE_HOLDS = 100 };

void lge_adaptive_start(const struct lge_config *config);
/* The limit in milliseconds for a lock of the class, in the thread's operation; 0:
 * none so far.  From the first time on it is asked for, holds are counted. */
uint32_t lge_adaptive_limit(const struct lge_thread *thread, uint32_t class_id);
/* A hold of that class ended. */
void lge_adaptive_held(const struct lge_thread *thread, uint32_t class_id, uint64_t ns);
void lge_adaptive_reset(void);

#endif
