/* Which engine thread a pthread_t is. */
#ifndef LOCKGRAPH_INTERPOSE_THREAD_TABLE_H
#define LOCKGRAPH_INTERPOSE_THREAD_TABLE_H

#include <pthread.h>

#include "engine/thread.h"

/* Enters a thread; a stale entry of a reused handle is replaced.  By the child
 * and by its creator, whoever comes first; the later one changes nothing. */
void lgi_table_put(pthread_t handle, struct lge_thread *thread, uint32_t serial);
/* NULL when not known. */
struct lge_thread *lgi_table_get(pthread_t handle);
/* In a forked child: its memory is not given back, another thread may have been
 * changing it. */
void lgi_table_forget(void);
void lgi_table_remove(pthread_t handle, const struct lge_thread *thread);

#endif
