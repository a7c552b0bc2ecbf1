#include "platform/futex_lock.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>

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

/* ---- owners that may never come back ---- */

/* How long a handler may keep others waiting.  In slices: a process that is stopped
 * meanwhile, as by a handler of SIGTSTP, loses one of them only. */
enum { SLICES = 10, SLICE_NS = 5000000 };

static void (*taken_away)(void); /* set once, before a second thread exists */
static _Atomic bool orphaned;    /* written by the only thread of a forked child */

void lgp_lock_on_taken_away(void (*function)(void)) { taken_away = function; }

void lgp_lock_orphaned(void) { atomic_store_explicit(&orphaned, true, memory_order_relaxed); }

static uint32_t owner_of(uint32_t state) { return state & ~(LGP_LOCK_WAITERS | LGP_LOCK_INTERRUPTED); }

static void take_away(struct lgp_lock *lock, uint32_t state) {
    if (taken_away != NULL)
        taken_away();
    change(lock, state, 0);
}

static bool owner_is_gone(uint32_t state) {
    return atomic_load_explicit(&orphaned, memory_order_relaxed) && owner_of(state) != lgp_own_id() &&
           !lgp_thread_alive(owner_of(state));
}

/* ---- waiting ---- */

static void sleep_while(struct lgp_lock *lock, uint32_t state, const struct timespec *most) {
    lgp_syscall(SYS_futex, (long)&lock->state, FUTEX_WAIT_PRIVATE, (long)state, (long)most, 0, 0);
}

/* Until the owner is out of its handler, or has been in it for too long. */
static void sleep_interrupted(struct lgp_lock *lock, uint32_t state) {
    static const struct timespec slice = {.tv_nsec = SLICE_NS};
    for (int i = 0; i < SLICES; i++) {
        sleep_while(lock, state, &slice);
        if (state_of(lock) != state)
            return;
    }
    take_away(lock, state);
}

static void sleep_marked(struct lgp_lock *lock, uint32_t state) {
    if (owner_is_gone(state))
        change(lock, state, 0);
    else if ((state & LGP_LOCK_INTERRUPTED) != 0)
        sleep_interrupted(lock, state);
    else
        sleep_while(lock, state, NULL);
}

/* From here on the lock is taken with the mark, since a waiter cannot know whether
 * it was the last one: at worst one wake-up too many. */
static void sleep_and_take(struct lgp_lock *lock) {
    uint32_t marked = lgp_own_id() | LGP_LOCK_WAITERS;
    for (uint32_t state; (state = state_of(lock)) != 0 || !change(lock, 0, marked);)
        if ((state & LGP_LOCK_WAITERS) != 0 || (state != 0 && change(lock, state, state | LGP_LOCK_WAITERS)))
            sleep_marked(lock, state | LGP_LOCK_WAITERS);
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
    if (owner_of(state_of(lock)) == lgp_own_id())
        atomic_store_explicit(&lock->state, 0, memory_order_release);
    wake(lock, INT_MAX);
}

/* As above: those that sleep without a limit look at it anew, and a wake-up that came
 * to this thread goes on to them. */
bool lgp_lock_interrupted(struct lgp_lock *lock) {
    uint32_t state = state_of(lock);
    bool ours = owner_of(state) == lgp_own_id() && (state & LGP_LOCK_INTERRUPTED) == 0;
    if (ours)
        atomic_fetch_or_explicit(&lock->state, LGP_LOCK_INTERRUPTED, memory_order_release);
    wake(lock, INT_MAX);
    return ours;
}

void lgp_lock_resumed(struct lgp_lock *lock) {
    uint32_t state = state_of(lock);
    while (owner_of(state) == lgp_own_id())
        if (change(lock, state, state & ~LGP_LOCK_INTERRUPTED))
            return;
        else
            state = state_of(lock);
    lgp_lock_contended(lock);
}

/* Nobody else is there. */
void lgp_lock_inherited(struct lgp_lock *lock, uint32_t before, uint32_t now) {
    uint32_t state = state_of(lock);
    if (owner_of(state) == before)
        atomic_store_explicit(&lock->state, (state & LGP_LOCK_INTERRUPTED) | now, memory_order_relaxed);
}
