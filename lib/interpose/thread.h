/* Threads, for callers that stand behind another name (C11). */
#ifndef LOCKGRAPH_INTERPOSE_THREAD_H
#define LOCKGRAPH_INTERPOSE_THREAD_H

#include <pthread.h>
#include <stdint.h>
#include <threads.h>

int lgi_thread_create_c11(thrd_t *thread, thrd_start_t start, void *argument, uintptr_t site, uintptr_t sp);
int lgi_thread_join_c11(thrd_t thread, int *result, uintptr_t site, uintptr_t sp);
/* Before the real detach: afterwards the handle may be another thread's. */
void lgi_thread_detached(pthread_t thread);

#endif
