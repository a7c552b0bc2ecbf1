/* Condition hand-over: what a signalling thread did before is before what the
 * thread it wakes does after.
 *
 * Kept per condition variable for as long as somebody waits on it; a signal
 * that nobody waits for orders nothing.  With several waiters each may have
 * been woken by any signal since the first of them came: all of them count. */
#ifndef LOCKGRAPH_INTERPOSE_COND_ORDER_H
#define LOCKGRAPH_INTERPOSE_COND_ORDER_H

#include <stdbool.h>

#include "engine/engine.h"

void lgi_order_wait_begin(const void *condition);
/* `woken`: by a signal, not by time or cancellation. */
void lgi_order_wait_end(struct lge_thread *thread, const void *condition, bool woken);
void lgi_order_signal(struct lge_thread *thread, const void *condition);
/* In a forked child: nobody waits. */
void lgi_order_forget(void);

#endif
