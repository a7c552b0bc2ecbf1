/* Waiting for a spinlock as the program would have, on the processor, and
 * telling the engine when it takes long. */
#ifndef LOCKGRAPH_INTERPOSE_SPIN_WAIT_H
#define LOCKGRAPH_INTERPOSE_SPIN_WAIT_H

#include <pthread.h>

#include "engine/thread.h"

/* Returns when the thread holds the lock, which was busy. */
void lgi_spin_wait(struct lge_thread *thread, pthread_spinlock_t *lock, const struct lge_request *request);

#endif
