/* Which of the runtime's own locks the calling thread has, or is about to take:
 * for signal handlers, which may interrupt it anywhere.
 *
 * A handler of the program that interrupts the runtime with one of its locks
 * taken, and is left by siglongjmp, would leave the lock taken for ever.  So it
 * is put off: its signal is blocked, sent to the thread once more, and let
 * through when the last of the locks is given back.  Where that cannot be, the
 * locks that were left are given back by lgp_locks_left.
 *
 * Owner thread only, its signal handlers included: hence the fences. */
#ifndef LOCKGRAPH_PLATFORM_OWN_LOCKS_H
#define LOCKGRAPH_PLATFORM_OWN_LOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lgp_lock;

enum { LGP_LOCKS_KNOWN = 8 }; /* deeper ones are counted only */
struct lgp_own_locks {
    volatile uint32_t count; /* raised before a lock is taken, lowered when it is free */
    volatile uint32_t taken; /* the first of them are */
    struct lgp_lock *volatile locks[LGP_LOCKS_KNOWN];
    volatile uint64_t put_off; /* signals that wait, as bits (signal - 1) */
};
extern __thread struct lgp_own_locks lgp_own_locks __attribute__((tls_model("initial-exec")));

/* ---- for lgp_lock and lgp_unlock ---- */

static inline void lgp_own_taking(struct lgp_lock *lock) {
    uint32_t count = lgp_own_locks.count;
    if (count < LGP_LOCKS_KNOWN)
        lgp_own_locks.locks[count] = lock;
    lgp_own_locks.count = count + 1;
    atomic_signal_fence(memory_order_seq_cst);
}
static inline void lgp_own_taken(void) {
    atomic_signal_fence(memory_order_seq_cst);
    lgp_own_locks.taken = lgp_own_locks.count;
}
/* Not the newest one: the others move up. */
void lgp_own_remove(const struct lgp_lock *lock);
void lgp_own_let_through(void);

static inline void lgp_own_giving(const struct lgp_lock *lock) {
    uint32_t count = lgp_own_locks.count;
    if (count <= LGP_LOCKS_KNOWN && lgp_own_locks.locks[count - 1] != lock)
        lgp_own_remove(lock);
    lgp_own_locks.taken = count - 1;
    atomic_signal_fence(memory_order_seq_cst);
}
/* Also of one that was not taken after all. */
static inline void lgp_own_given(void) {
    atomic_signal_fence(memory_order_seq_cst);
    if (--lgp_own_locks.count == 0 && lgp_own_locks.put_off != 0)
        lgp_own_let_through();
}

/* ---- for signal handlers ---- */

/* Puts the signal that is being delivered off until the thread has none of our
 * locks.  `mask`: what the kernel will set when the handler returns.  False: the
 * kernel would not have it. */
bool lgp_put_off(int signal, void *info, uint64_t *mask);
/* The code that had them will not go on: all are free again.  What they guard
 * may be half done. */
void lgp_locks_left(void);

#endif
