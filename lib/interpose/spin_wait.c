#include "interpose/spin_wait.h"

#include "engine/identity.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/spin_fast.h"
#include "interpose/wait_slices.h"
#include "platform/system.h"

/* Spinlocks are held for moments: nobody is told of a wait that short, some ten
 * microseconds.  After that the clock is read once in so many rounds. */
enum { SHORT_WAIT = 1000, ROUNDS_PER_CLOCK = 256 };

static bool try_lock(pthread_spinlock_t *lock) {
    return (!lge_hot.fast_spin || lgi_spin_is_free(lock)) && lgi_real.spin_trylock(lock) == 0;
}

static bool spin(pthread_spinlock_t *lock, unsigned rounds) {
    for (; rounds != 0; rounds--) {
        if (try_lock(lock))
            return true;
        lgp_pause();
    }
    return false;
}

/* True when the lock was got before `ns` had passed. */
static bool spin_for(pthread_spinlock_t *lock, uint64_t ns) {
    uint64_t start = lgp_monotonic_ns();
    bool got;
    lgi_block();
    do {
        got = spin(lock, ROUNDS_PER_CLOCK);
    } while (!got && lgp_monotonic_ns() - start < ns);
    lgi_unblock();
    return got;
}

/* No yield and no sleep: the real one has none either, and whoever spins with
 * a real-time priority counts on it. */
static void wait_in_slices(struct lge_thread *thread, pthread_spinlock_t *lock,
                           const struct lge_request *request) {
    for (uint64_t slice = lgi_first_slice_ns();
         !spin_for(lock, lgi_slice_cut(thread, lgp_monotonic_ns(), slice)); slice = lgi_next_slice_ns(slice))
        lgi_slice_passed(thread, request, NULL);
}

/* A spinlock has no owner field: its holder is found in the held stacks of the
 * threads that wait, too. */
void lgi_spin_wait(struct lge_thread *thread, pthread_spinlock_t *lock, const struct lge_request *request) {
    if (spin(lock, SHORT_WAIT))
        return;
    if (lge_wait_begin(thread, request, NULL))
        lgi_on_deadlock();
    wait_in_slices(thread, lock, request);
    lge_wait_end(thread);
}
