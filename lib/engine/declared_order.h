/* Order declared between classes by name, without levels: where both are held, the
 * first was taken first.  What follows from two such orders is one, too.
 *
 * Looked at by lge_check as levels are (level.h), before the request may block.  Any
 * thread; nothing while none is declared. */
#ifndef LOCKGRAPH_ENGINE_DECLARED_ORDER_H
#define LOCKGRAPH_ENGINE_DECLARED_ORDER_H

#include "engine/thread.h"

/* Declared once more: nothing happens.  False: it contradicts what was declared before
 * (or both are one), or memory is out; then it is ignored. */
bool lge_declare_order(const char *first, const char *second);

extern _Atomic bool lge_orders_declared; /* relaxed */
/* Reported as level-violation when it is against one of them. */
void lge_declared_order_requested(struct lge_thread *thread, const struct lge_request *request);
void lge_declared_orders_reset(void);

#endif
