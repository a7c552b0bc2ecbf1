/* Wrong calls on spinlocks, as far as the lock and the held stacks tell: seen on
 * the slow paths, reported, and made all the same.
 *
 * By a thread that has entered the runtime. */
#ifndef LOCKGRAPH_INTERPOSE_SPIN_MISUSE_H
#define LOCKGRAPH_INTERPOSE_SPIN_MISUSE_H

#include <pthread.h>

#include "engine/thread.h"

struct lgi_spin_call {
    struct lge_thread *thread;
    const pthread_spinlock_t *lock;
    uintptr_t site, sp;
};

/* Before a use of the lock: its identity; it is looked at when it has none (any more). */
uint64_t lgi_spin_identity(const struct lgi_spin_call *call);
/* Before an unlock by a thread that does not hold it, as far as is known. */
void lgi_spin_look_at_unlock(const struct lgi_spin_call *call);
/* Before it is destroyed, whose id that was; and to be told to who uses it. */
void lgi_spin_look_at_destroy(const struct lgi_spin_call *call, uint64_t id);
/* Before it is initialised: whatever is there may be anything. */
void lgi_spin_look_at_init(const struct lgi_spin_call *call);

#endif
