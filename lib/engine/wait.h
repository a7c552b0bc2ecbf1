/* The wait-for graph: what a thread published about its waiting, and the search
 * for a cycle of threads that wait for each other. */
#ifndef LOCKGRAPH_ENGINE_WAIT_H
#define LOCKGRAPH_ENGINE_WAIT_H

#include "engine/thread.h"

/* A wait in the kernel, from which the thread cannot look around: its stack is
 * recorded at once.  Otherwise as lge_wait_begin without an owner. */
bool lge_wait_in_kernel(struct lge_thread *thread, const struct lge_request *request);
/* In the child after fork: nobody waits. */
void lge_waits_after_fork(struct lge_thread *self);
uint64_t lge_waits_contended(void);
void lge_waits_start(bool recording);
void lge_waits_reset(void);

#endif
