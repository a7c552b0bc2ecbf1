#include "platform/own_locks.h"

#include <signal.h>
#include <sys/syscall.h>

#include "platform/futex_lock.h"
#include "platform/system.h"

__thread struct lgp_own_locks lgp_own_locks __attribute__((tls_model("initial-exec")));

uint32_t lgp_own_ask_id(void) { return lgp_own_locks.id = lgp_tid(); }

void lgp_own_remove(const struct lgp_lock *lock) {
    uint32_t count = lgp_own_locks.count, at = count - 1;
    while (at > 0 && lgp_own_locks.locks[at] != lock)
        at--;
    for (; at + 1 < count; at++)
        lgp_own_locks.locks[at] = lgp_own_locks.locks[at + 1];
}

static long change_mask(int how, const uint64_t *signals) {
    return lgp_syscall(SYS_rt_sigprocmask, how, (long)signals, 0, sizeof *signals, 0, 0);
}

void lgp_own_let_through(void) {
    uint64_t signals = lgp_own_locks.put_off;
    lgp_own_locks.put_off = 0;
    change_mask(SIG_UNBLOCK, &signals);
}

/* It comes with what it came with: to itself a process may send anything. */
bool lgp_put_off(int signal, void *info, uint64_t *mask) {
    uint64_t bit = (uint64_t)1 << (signal - 1);
    if (change_mask(SIG_BLOCK, &bit) != 0 ||
        lgp_syscall(SYS_rt_tgsigqueueinfo, (long)lgp_pid(), (long)lgp_tid(), signal, (long)info, 0, 0) != 0)
        return false;
    lgp_own_locks.put_off |= bit;
    *mask |= bit;
    return true;
}

void lgp_locks_left(void) {
    uint32_t known = lgp_own_locks.count < LGP_LOCKS_KNOWN ? lgp_own_locks.count : LGP_LOCKS_KNOWN;
    while (known > 0)
        lgp_lock_left(lgp_own_locks.locks[--known]);
    atomic_signal_fence(memory_order_seq_cst);
    lgp_own_locks.count = 0;
    if (lgp_own_locks.put_off != 0)
        lgp_own_let_through();
}
