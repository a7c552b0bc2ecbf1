/* Which of the runtime's own locks the calling thread has, or is about to take:
 * for signal handlers, which may interrupt it anywhere.
 *
 * A handler of the program that interrupts the runtime with one of its locks
 * taken, and is left by siglongjmp, would leave the lock taken for ever.  So it
 * is put off: its signal is blocked, sent to the thread once more, and let
 * through when the last of the locks is given back.  Where that cannot be, who
 * waits for one of them takes it away once the handler takes long, and the locks
 * that were left are given back by lgp_locks_left.
 *
 * A lock is among them from before it is taken until after the next one is woken, as
 * with the kernel's robust futexes (list_op_pending), and says itself whose it is.
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
    uint32_t id;             /* the thread's; 0: not asked yet */
    struct lgp_lock *volatile locks[LGP_LOCKS_KNOWN]; /* each says itself who has it */
    volatile uint64_t put_off;                        /* signals that wait, as bits (signal - 1) */
};
extern __thread struct lgp_own_locks lgp_own_locks __attribute__((tls_model("initial-exec")));

/* ---- for lgp_lock and lgp_unlock ---- */

uint32_t lgp_own_ask_id(void);
/* The thread's kernel id, kept. */
static inline uint32_t lgp_own_id(void) {
    uint32_t id = lgp_own_locks.id;
    return __builtin_expect(id != 0, 1) ? id : lgp_own_ask_id();
}
static inline void lgp_own_taking(struct lgp_lock *lock) {
    uint32_t count = lgp_own_locks.count;
    if (count < LGP_LOCKS_KNOWN)
        lgp_own_locks.locks[count] = lock;
    lgp_own_locks.count = count + 1;
    atomic_signal_fence(memory_order_seq_cst);
}
/* Not the newest one: the others move up, and none is missing meanwhile. */
void lgp_own_remove(const struct lgp_lock *lock);
void lgp_own_let_through(void);

/* It is free, or was not taken after all. */
static inline void lgp_own_given(const struct lgp_lock *lock) {
    uint32_t count = lgp_own_locks.count;
    atomic_signal_fence(memory_order_seq_cst);
    if (count <= LGP_LOCKS_KNOWN && lgp_own_locks.locks[count - 1] != lock)
        lgp_own_remove(lock);
    lgp_own_locks.count = count - 1;
    if (count == 1 && lgp_own_locks.put_off != 0)
        lgp_own_let_through();
}

/* ---- for signal handlers ---- */

/* Puts the signal that is being delivered off until the thread has none of our
 * locks.  `mask`: what the kernel will set when the handler returns.  False: the
 * kernel would not have it. */
bool lgp_put_off(int signal, void *info, uint64_t *mask);
/* Around a handler that is not put off: whoever waits meanwhile does not wait for the end
 * of it.  The result, which are to be taken back, is for lgp_locks_resumed. */
uint32_t lgp_locks_interrupted(void);
void lgp_locks_resumed(uint32_t which);
/* In a forked child: they are the caller's, as in the parent. */
void lgp_own_after_fork(void);
/* The code that had them, or was about to, will not go on: all are free again, and who
 * waits is woken.  What they guard may be half done.  May itself be left and called again. */
void lgp_locks_left(void);

#endif
