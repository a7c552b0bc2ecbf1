/* Every request, acquisition and release as it is made: lge_config.on_traced.  Only
 * where it is wanted, and by a front end that leaves its hot paths alone then. */
#ifndef LOCKGRAPH_ENGINE_TRACE_H
#define LOCKGRAPH_ENGINE_TRACE_H

#include "engine/overlong.h"
#include "engine/thread.h"

/* Written by lge_trace_start. */
extern void (*lge_on_traced)(enum lge_traced what, uint64_t lock, const void *address, uint8_t kind,
                             uint64_t ns);
static inline bool lge_tracing(void) { return lge_on_traced != NULL; }
/* Whether a hold notes since when it is. */
static inline bool lge_clocked(void) { return lge_tracing() || lge_hold_limited; }

void lge_trace_start(const struct lge_config *config);
/* By the thread: before it requests; with its newest hold, which it just took;
 * before a hold is taken off its stack. */
void lge_trace_requested(struct lge_thread *thread, const struct lge_request *request);
void lge_trace_acquired(struct lge_thread *thread);
void lge_trace_released(const struct lge_held *held);

#endif
