#include "platform/futex_lock.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "platform/system.h"

/* What the lock guards is a few dozen instructions: a short spin usually
 * outlasts it and saves two system calls. */
enum { SPINS = 64 };

static bool change(struct lgp_lock *lock, uint32_t from, uint32_t to) {
    return atomic_compare_exchange_weak_explicit(&lock->state, &from, to, memory_order_acquire,
                                                 memory_order_relaxed);
}

static uint32_t state_of(const struct lgp_lock *lock) {
    return atomic_load_explicit(&lock->state, memory_order_relaxed);
}

/* From here on the lock is taken with the mark, since a waiter cannot know whether
 * it was the last one: at worst one wake-up too many. */
static void sleep_and_take(struct lgp_lock *lock) {
    uint32_t marked = lgp_own_id() | LGP_LOCK_WAITERS;
    for (uint32_t state; (state = state_of(lock)) != 0 || !change(lock, 0, marked);)
        if ((state & LGP_LOCK_WAITERS) != 0 || (state != 0 && change(lock, state, state | LGP_LOCK_WAITERS)))
            lgp_syscall(SYS_futex, (long)&lock->state, FUTEX_WAIT_PRIVATE, (long)(state | LGP_LOCK_WAITERS),
                        0, 0, 0);
}

void lgp_lock_contended(struct lgp_lock *lock) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (state_of(lock) == 0 && change(lock, 0, lgp_own_id()))
            return;
        lgp_pause();
    }
    sleep_and_take(lock);
}

static void wake(struct lgp_lock *lock, int most) {
    lgp_syscall(SYS_futex, (long)&lock->state, FUTEX_WAKE_PRIVATE, most, 0, 0, 0);
}

void lgp_unlock_contended(struct lgp_lock *lock) { wake(lock, 1); }

/* A thread that was woken, or was about to wake, and goes no further has lost the
 * wake-up: all are woken, and wait again where they have to. */
void lgp_lock_left(struct lgp_lock *lock) {
    if ((state_of(lock) & ~LGP_LOCK_WAITERS) == lgp_own_id())
        atomic_store_explicit(&lock->state, 0, memory_order_release);
    wake(lock, INT_MAX);
}
