/* What a once-control orders: all that the thread that ran the routine knows
 * when it is over is before all that a thread does after a later return.
 *
 * A thread needs that once per control.  It keeps the controls that it is done
 * with in its block, so that a return which brings nothing new costs one more
 * comparison.  A control may be reused memory: whenever a routine has run that
 * brings something, all threads ask again. */
#ifndef LOCKGRAPH_INTERPOSE_ONCE_ORDER_H
#define LOCKGRAPH_INTERPOSE_ONCE_ORDER_H

#include <stdatomic.h>

#include "engine/thread.h"

/* Routines that brought something.  Raised under the lock of once_order.c before
 * libc marks the control as done, and so before anybody may ask for it. */
extern _Atomic uint64_t lgi_once_runs;

static inline uint64_t lgi_once_key(const void *control) {
    uint64_t runs = atomic_load_explicit(&lgi_once_runs, memory_order_relaxed);
    return (uint64_t)(uintptr_t)control ^ runs << 48;
}
static inline uint64_t *lgi_once_settled_slot(struct lge_thread *thread, const void *control) {
    return &thread->settled[((uintptr_t)control >> 2 ^ (uintptr_t)control >> 9) % LGE_SETTLED];
}
/* True when a return of that control brings nothing new to the thread. */
static inline bool lgi_once_settled(struct lge_thread *thread, const void *control) {
    return *lgi_once_settled_slot(thread, control) == lgi_once_key(control);
}

/* The thread ran the routine; before libc marks the control. */
void lgi_once_ran(struct lge_thread *thread, const void *control);
/* The control is done and the thread has seen that. */
void lgi_once_returned(struct lge_thread *thread, const void *control);
/* In a forked child. */
void lgi_once_forget(void);

#endif
