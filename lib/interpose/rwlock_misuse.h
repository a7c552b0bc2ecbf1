/* Wrong calls on rwlocks, as far as the lock and the held stacks tell: seen on
 * the slow paths, reported, and made all the same, for glibc to answer.
 *
 * By a thread that has entered the runtime. */
#ifndef LOCKGRAPH_INTERPOSE_RWLOCK_MISUSE_H
#define LOCKGRAPH_INTERPOSE_RWLOCK_MISUSE_H

#include "interpose/rwlock.h"

/* A call on `lock`, whose id may be 0 where it does not matter. */
struct lgi_rwlock_call {
    struct lge_thread *thread;
    const pthread_rwlock_t *lock;
    uint64_t id;
    uintptr_t site, sp;
};

/* Its tag says that it was destroyed, and nobody wrote there since. */
void lgi_rwlock_report_destroyed(const struct lgi_rwlock_call *call);
/* Before an unlock by a thread that does not hold it, as far as is known. */
void lgi_rwlock_look_at_unlock(const struct lgi_rwlock_call *call);
/* Before it is destroyed. */
void lgi_rwlock_look_at_destroy(const struct lgi_rwlock_call *call);
/* After it was destroyed: to be told to who uses it. */
void lgi_rwlock_note_destroyed(const struct lgi_rwlock_call *call);
/* Before it is initialised: whatever is there may be anything; `id` is what its
 * tag says, if it says anything. */
void lgi_rwlock_look_at_init(const struct lgi_rwlock_call *call);
/* glibc refused the call, perhaps for a reason worth knowing. */
void lgi_rwlock_look_at_result(const struct lgi_rwlock_call *call, int result);

#endif
