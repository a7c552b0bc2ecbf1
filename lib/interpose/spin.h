/* Spinlocks: what the other parts of the runtime need of them. */
#ifndef LOCKGRAPH_INTERPOSE_SPIN_H
#define LOCKGRAPH_INTERPOSE_SPIN_H

#include <pthread.h>
#include <stdint.h>

#include "interpose/self.h"

/* The whole of lock, trylock and unlock, called from (site, sp). */
int lgi_spin_lock(pthread_spinlock_t *lock, uintptr_t site, uintptr_t sp);
int lgi_spin_trylock(pthread_spinlock_t *lock, uintptr_t site, uintptr_t sp);
int lgi_spin_unlock(pthread_spinlock_t *lock, uintptr_t site, uintptr_t sp);
/* The id of a lock that was declared to be of that class: a new one at its first use. */
uint64_t lgi_spin_declared(struct lge_thread *thread, pthread_spinlock_t *lock, uint32_t class_id);

/* From the constructor, after lgi_real_start. */
void lgi_spin_start(void);

#endif
