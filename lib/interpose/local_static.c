#include "interpose/local_static.h"

#include "interpose/on_deadlock.h"
#include "interpose/once_runner.h"
#include "interpose/real.h"
#include "interpose/self.h"

/* Variables that the thread is initialising. */
static __thread unsigned began __attribute__((tls_model("initial-exec")));

/* With one thread a variable that needs itself is refused, not waited for. */
static bool refused(const uint64_t *guard) {
    return lgi_real_single_threaded() && lgi_once_runner(guard) != NULL;
}

/* Who gets there first initialises it: until it is known who, all wait (once.c). */
static bool begin_wait(struct lge_thread *thread, const uint64_t *guard, uintptr_t site, uintptr_t sp) {
    bool free = __atomic_load_n(guard, __ATOMIC_RELAXED) == 0;
    if ((free && began == 0 && lge_depth(thread) == 0) || refused(guard))
        return false;
    if (lge_wait_once(thread, guard, site, sp))
        lgi_on_deadlock();
    return true;
}

static void acquired(struct lge_thread *thread, uint64_t *guard, bool waited, bool first, uintptr_t sp) {
    began += first;
    if ((!waited && !first) || lgi_enter() == NULL)
        return;
    if (waited)
        lge_wait_end(thread);
    if (first)
        lgi_static_begins(thread, guard, sp);
    lgi_leave(thread);
}

LGI_EXPORT int __cxa_guard_acquire(uint64_t *guard) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.guard_acquire(guard);
    bool waited = begin_wait(thread, guard, site, sp);
    lgi_leave(thread);
    int first = lgi_real.guard_acquire(guard);
    acquired(thread, guard, waited, first != 0, sp);
    return first;
}

/* Before anybody else may initialise it, or find it done. */
static void through(const uint64_t *guard) {
    struct lge_thread *thread = lgi_enter();
    began -= began != 0;
    if (thread == NULL)
        return;
    lgi_once_ends(guard);
    lgi_leave(thread);
}

LGI_EXPORT void __cxa_guard_release(uint64_t *guard) {
    through(guard);
    lgi_real.guard_release(guard);
}

LGI_EXPORT void __cxa_guard_abort(uint64_t *guard) {
    through(guard);
    lgi_real.guard_abort(guard);
}
