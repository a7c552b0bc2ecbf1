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

static uint32_t known_locks(void) {
    uint32_t count = lgp_own_locks.count;
    return count < LGP_LOCKS_KNOWN ? count : LGP_LOCKS_KNOWN;
}

uint32_t lgp_locks_interrupted(void) {
    uint32_t which = 0;
    for (uint32_t i = known_locks(); i-- > 0;)
        if (lgp_lock_interrupted(lgp_own_locks.locks[i]))
            which |= 1u << i;
    return which;
}

/* Outermost first, as they were taken. */
void lgp_locks_resumed(uint32_t which) {
    for (uint32_t i = 0; which >> i != 0; i++)
        if ((which >> i & 1) != 0)
            lgp_lock_resumed(lgp_own_locks.locks[i]);
}

void lgp_own_after_fork(void) {
    uint32_t before = lgp_own_locks.id, now = lgp_own_ask_id();
    for (uint32_t i = known_locks(); i-- > 0;)
        lgp_lock_inherited(lgp_own_locks.locks[i], before, now);
}

void lgp_locks_left(void) {
    uint32_t known = known_locks();
    while (known > 0)
        lgp_lock_left(lgp_own_locks.locks[--known]);
    atomic_signal_fence(memory_order_seq_cst);
    lgp_own_locks.count = 0;
    if (lgp_own_locks.put_off != 0)
        lgp_own_let_through();
}
