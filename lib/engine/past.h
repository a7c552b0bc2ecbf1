/* Happens-before: what a thread knows of other threads' pasts, as a vector
 * clock that is shared and never changed once made.
 *
 * Only orders that hold in every schedule count: creation, join, barrier, once,
 * semaphore post to wait, condition signal to the wait it ended; never unlock
 * to lock.  A thread without dependencies of its own needs no component, which
 * keeps clocks small under thread churn. */
#ifndef LOCKGRAPH_ENGINE_PAST_H
#define LOCKGRAPH_ENGINE_PAST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct lge_past_entry {
    uint32_t serial; /* of the thread known about */
    uint32_t time;   /* its events up to this time come before */
    uint16_t reason; /* enum lgr_reason: what brought the order */
    uint16_t reserved;
    uint32_t reason_id;
};
struct lge_past {
    _Atomic uint32_t references;
    uint32_t count;
    struct lge_past_entry entries[]; /* ascending by serial */
};

/* NULL is the empty past. */
struct lge_past *lge_past_keep(struct lge_past *past);
void lge_past_drop(struct lge_past *past);
const struct lge_past_entry *lge_past_find(const struct lge_past *past, uint32_t serial);
/* A new past that covers both; consumes neither.  Entries that `more` adds get
 * the given reason unless reason is LGR_REASON_NONE (they keep their own). */
struct lge_past *lge_past_join(struct lge_past *past, struct lge_past *more, enum lgr_reason reason,
                               uint32_t reason_id);
/* A new past with that thread's component raised to `time`. */
struct lge_past *lge_past_with(struct lge_past *past, uint32_t serial, uint32_t time, enum lgr_reason reason,
                               uint32_t reason_id);
/* The same without threads of which no dependency is left: nobody asks for
 * them.  Consumes `past`. */
struct lge_past *lge_past_prune(struct lge_past *past);

#endif
