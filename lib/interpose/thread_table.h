/* Which engine thread a pthread_t is. */
#ifndef LOCKGRAPH_INTERPOSE_THREAD_TABLE_H
#define LOCKGRAPH_INTERPOSE_THREAD_TABLE_H

#include <pthread.h>

#include "engine/thread.h"

/* Enters the thread of that serial, unless its block has begun another life since;
 * a stale entry of a reused handle is replaced.  By the child, before it is seen to
 * have begun. */
void lgi_table_put(pthread_t handle, struct lge_thread *thread, uint32_t serial);
/* The same by its creator: unless it has begun, and entered itself. */
void lgi_table_put_new(pthread_t handle, struct lge_thread *thread, uint32_t serial);
/* NULL (and serial 0) when not known. */
struct lge_thread *lgi_table_get(pthread_t handle, uint32_t *serial);
/* In a forked child: its memory is not given back, another thread may have been
 * changing it. */
void lgi_table_forget(void);
/* Another one that has the handle by now stays. */
void lgi_table_remove(pthread_t handle, const struct lge_thread *thread, uint32_t serial);

#endif
