#include "platform/futex_lock.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "platform/system.h"

/* What the lock guards is a few dozen instructions: a short spin usually
 * outlasts it and saves two system calls. */
enum { SPINS = 64 };

static bool try_taking(struct lgp_lock *lock) {
    uint32_t expected = 0;
    return atomic_compare_exchange_weak_explicit(&lock->state, &expected, 1, memory_order_acquire,
                                                 memory_order_relaxed);
}

/* From here on the lock is taken in state 2, since a waiter cannot know whether
 * it was the last one: at worst one wake-up too many. */
void lgp_lock_contended(struct lgp_lock *lock) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 && try_taking(lock))
            return;
        lgp_pause();
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
        lgp_syscall(SYS_futex, (long)&lock->state, FUTEX_WAIT_PRIVATE, 2, 0, 0, 0);
}

void lgp_unlock_contended(struct lgp_lock *lock) {
    lgp_syscall(SYS_futex, (long)&lock->state, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}
