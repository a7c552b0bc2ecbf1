/* Operations: what a thread is doing, in the program's own words, for log lines and
 * adaptive limits.  A thread may begin one inside another; the innermost counts.
 *
 * | a thread's stack of them | the thread              |
 * | the table of names       | its lock; names are kept | */
#ifndef LOCKGRAPH_ENGINE_OPERATION_H
#define LOCKGRAPH_ENGINE_OPERATION_H

#include "engine/thread.h"

/* Begins the one of that name, which is copied; false: memory is out. */
bool lge_operation_begin(struct lge_thread *thread, const char *name);
/* Ends the innermost one; nothing in none. */
void lge_operation_end(struct lge_thread *thread);

/* The number of the innermost one; 0: none. */
static inline uint32_t lge_operation(const struct lge_thread *thread) {
    return thread->operation_count == 0 ? 0 : thread->operations[thread->operation_count - 1];
}
/* Its name; NULL: 0, or not known. */
const char *lge_operation_name(uint32_t operation);

void lge_operations_leave_all(struct lge_thread *thread);
void lge_operations_reset(void);

#endif
