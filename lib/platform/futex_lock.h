/* The runtime's own lock: a three-state futex (Drepper, "Futexes Are Tricky",
 * mutex2) whose word names the owner, as that of a priority-inheritance or robust
 * futex does (futex(2)).  Never a pthread lock, so nothing of ours is ever
 * interposed. */
#ifndef LOCKGRAPH_PLATFORM_FUTEX_LOCK_H
#define LOCKGRAPH_PLATFORM_FUTEX_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/own_locks.h"

/* Above any thread id (PID_MAX_LIMIT is 2^22). */
#define LGP_LOCK_WAITERS     0x80000000u
#define LGP_LOCK_INTERRUPTED 0x40000000u

/* 0 free; else the owner's thread id, with LGP_LOCK_WAITERS where some may wait, and
 * LGP_LOCK_INTERRUPTED while the owner is in a signal handler that it may never return from. */
struct lgp_lock {
    _Atomic uint32_t state;
};
#define LGP_LOCK_INIT                                                                                        \
    { 0 }

void lgp_lock_contended(struct lgp_lock *lock);
void lgp_unlock_contended(struct lgp_lock *lock);
/* The calling thread was about to take it, has it, or was about to wake the next: it
 * is free again, unless another thread's.  May be called again when it was left itself. */
void lgp_lock_left(struct lgp_lock *lock);

/* A handler of the program begins that the calling thread may leave: who waits for the
 * lock goes on without it, unless it returns soon.  True: to be told the end of it. */
bool lgp_lock_interrupted(struct lgp_lock *lock);
/* It returned, and the calling thread has the lock again: waits where others took it. */
void lgp_lock_resumed(struct lgp_lock *lock);
/* Called by who takes a lock away from a thread that is in a handler, before that. */
void lgp_lock_on_taken_away(void (*function)(void));
/* In a forked child: the lock of the thread that had the id `before` is that of `now`. */
void lgp_lock_inherited(struct lgp_lock *lock, uint32_t before, uint32_t now);
/* In a forked child that goes on in the midst of the runtime: whatever a thread of the
 * parent has is free for who wants it. */
void lgp_lock_orphaned(void);

/* False: somebody has it. */
static inline bool lgp_take_free(struct lgp_lock *lock) {
    uint32_t expected = 0;
    return atomic_compare_exchange_strong_explicit(&lock->state, &expected, lgp_own_id(),
                                                   memory_order_acquire, memory_order_relaxed);
}

static inline void lgp_lock(struct lgp_lock *lock) {
    lgp_own_taking(lock);
    if (!lgp_take_free(lock))
        lgp_lock_contended(lock);
}
/* False: somebody has it, and nothing changes. */
static inline bool lgp_try_lock(struct lgp_lock *lock) {
    lgp_own_taking(lock);
    bool taken = lgp_take_free(lock);
    if (!taken)
        lgp_own_given(lock);
    return taken;
}
static inline void lgp_unlock(struct lgp_lock *lock) {
    if ((atomic_exchange_explicit(&lock->state, 0, memory_order_release) & LGP_LOCK_WAITERS) != 0)
        lgp_unlock_contended(lock);
    lgp_own_given(lock);
}

#endif
