/* Classes that an order file declares (record/order_table.h): looked for where a lock
 * gets its class, never after that.
 *
 * | the order | written by lge_declared_start, read by anybody after it | */
#ifndef LOCKGRAPH_ENGINE_DECLARED_H
#define LOCKGRAPH_ENGINE_DECLARED_H

#include "engine/thread.h"
#include "record/order_table.h"

/* Before the first lock; NULL: there is none. */
void lge_declared_start(const struct lgr_order *order);
/* NULL: there is none. */
const struct lgr_order *lge_declared_order(void);

/* The class of a lock at that address, or of one initialised by the calls of that
 * context, whose own class is `class_id`.  LGE_CLASS_NONE: not declared. */
uint32_t lge_declared_variable(uintptr_t address);
uint32_t lge_declared_initialised(uint32_t class_id, uint32_t context);
/* The class of a lock that nothing else tells of, first taken by the calls of that
 * context.  LGE_CLASS_NONE: not declared. */
uint32_t lge_declared_used(uint32_t context);

/* The newest hold that a pair of the file forbids beside a lock of that class; NULL: none. */
const struct lge_held *lge_declared_forbids(const struct lge_thread *thread, uint32_t class_id);

#endif
