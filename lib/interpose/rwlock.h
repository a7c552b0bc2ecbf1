/* Read/write locks: what the other parts of the runtime need of them. */
#ifndef LOCKGRAPH_INTERPOSE_RWLOCK_H
#define LOCKGRAPH_INTERPOSE_RWLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "interpose/mutex.h" /* struct lgi_limit */

/* The whole of lock, trylock and unlock, called from (site, sp). */
int lgi_rwlock_lock(pthread_rwlock_t *lock, uint8_t mode, uintptr_t site, uintptr_t sp,
                    const struct lgi_limit *limit);
int lgi_rwlock_trylock(pthread_rwlock_t *lock, uint8_t mode, uintptr_t site, uintptr_t sp);
int lgi_rwlock_unlock(pthread_rwlock_t *lock, uintptr_t site, uintptr_t sp);
/* The id of a lock that was declared to be of that class: a new one at its first use. */
uint64_t lgi_rwlock_declared(struct lge_thread *thread, pthread_rwlock_t *lock, uint32_t class_id);

/* Its lock id: a new one at its first use; 0 instead of a new one. */
uint64_t lgi_rwlock_identity(struct lge_thread *thread, pthread_rwlock_t *lock, uintptr_t site, uintptr_t sp);
/* Its id, or 0; the same, and it goes: the next use is that of a new lock. */
uint64_t lgi_rwlock_known(pthread_rwlock_t *lock);
uint64_t lgi_rwlock_forget(pthread_rwlock_t *lock);

/* The real call, untracked. */
int lgi_rwlock_pass_through(pthread_rwlock_t *lock, uint8_t mode, const struct lgi_limit *limit);

/* Whether the rwlock with that id still is at that address; never faults. */
bool lgi_rwlock_alive(const void *address, uint64_t id, uint8_t attributes);

/* Options of the constructor; after lgi_real_start. */
void lgi_rwlock_start(bool use_tags);

#endif
