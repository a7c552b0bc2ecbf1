/* Waiting for a busy rwlock. */
#ifndef LOCKGRAPH_INTERPOSE_RWLOCK_WAIT_H
#define LOCKGRAPH_INTERPOSE_RWLOCK_WAIT_H

#include "interpose/rwlock.h"

/* A reader of this lock queues behind waiting writers.  glibc treats
 * PTHREAD_RWLOCK_PREFER_WRITER_NP like the reader's preference. */
static inline bool lgi_rwlock_prefers_writers(const pthread_rwlock_t *lock) {
    return lock->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

/* Blocks until the lock is ours, the program's limit passed or glibc refused;
 * the result is that of the call the program made. */
int lgi_rwlock_wait(struct lge_thread *thread, pthread_rwlock_t *lock, struct lge_request *request,
                    const struct lgi_limit *limit);
/* The engine's question (engine.h: shut_out); never faults. */
bool lgi_rwlock_shut_out(const void *address, uint32_t shared);

#endif
