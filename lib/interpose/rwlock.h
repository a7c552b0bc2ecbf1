/* Read/write locks: what the other parts of the runtime need of them. */
#ifndef LOCKGRAPH_INTERPOSE_RWLOCK_H
#define LOCKGRAPH_INTERPOSE_RWLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "interpose/mutex.h" /* struct lgi_limit */

/* The real call, untracked. */
int lgi_rwlock_pass_through(pthread_rwlock_t *lock, uint8_t mode, const struct lgi_limit *limit);

/* Whether the rwlock with that id still is at that address; never faults. */
bool lgi_rwlock_alive(const void *address, uint64_t id, uint8_t attributes);

/* Options of the constructor; after lgi_real_start. */
void lgi_rwlock_start(bool use_tags);

#endif
