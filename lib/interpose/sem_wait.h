/* Waiting for a semaphore that has no slot. */
#ifndef LOCKGRAPH_INTERPOSE_SEM_WAIT_H
#define LOCKGRAPH_INTERPOSE_SEM_WAIT_H

#include "interpose/sem.h"

/* Blocks until there was a slot, the program's limit passed, a handler
 * interrupted, or the thread is cancelled; the result is that of the call the
 * program made.  Entered within the runtime, left outside of it: what handlers
 * post meanwhile must be seen. */
int lgi_sem_block(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request,
                  const struct lgi_limit *limit);
/* The same for one that signals: without limit, and in one piece. */
int lgi_sem_block_for_signal(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request);

#endif
