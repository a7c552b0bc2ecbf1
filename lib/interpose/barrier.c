/* pthread_barrier_*: POSIX.1-2017 pthread_barrier_wait(3p) and neighbours.
 *
 * A barrier orders what its threads do (barrier_order.h).  Any thread of the
 * process may come and end a wait at one, so that a deadlock through a barrier
 * is certain, and named, only when every thread waits without limit
 * (engine/stuck.c), and never named through a process-shared one: we do not see
 * who else comes. */
#include <pthread.h>

#include "engine/context.h"
#include "engine/misuse.h"
#include "interpose/barrier_order.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/self.h"

static bool shared(const pthread_barrierattr_t *attributes) {
    int value = PTHREAD_PROCESS_PRIVATE;
    if (attributes != NULL)
        pthread_barrierattr_getpshared(attributes, &value);
    return value == PTHREAD_PROCESS_SHARED;
}

static void report(struct lge_thread *thread, struct lgi_barrier_call earlier, uintptr_t site, uintptr_t sp) {
    struct lge_misuse misuse = {.kind = LGR_KIND_BARRIER_MISUSE,
                                .site = site,
                                .sp = sp,
                                .earlier_context = earlier.context,
                                .earlier_thread = earlier.thread,
                                .detail = earlier.waits ? LGR_USE_WAITED : 0};
    if (earlier.thread != 0)
        lge_report_misuse(thread, &misuse);
}

LGI_EXPORT int pthread_barrier_init(pthread_barrier_t *restrict barrier,
                                    const pthread_barrierattr_t *restrict attributes, unsigned count) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    int result = lgi_real.barrier_init(barrier, attributes, count);
    struct lge_thread *thread = result == 0 ? lgi_enter() : NULL;
    if (thread == NULL)
        return result;
    report(thread, lgi_barrier_initialised(barrier, count, shared(attributes)), site, sp);
    lgi_leave(thread);
    return result;
}

/* Forgotten first: as soon as the real function has returned, its memory may be
 * another barrier. */
LGI_EXPORT int pthread_barrier_destroy(pthread_barrier_t *barrier) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    struct lge_thread *thread = lgi_enter();
    if (thread != NULL) {
        struct lgi_barrier_call call = {lge_context_capture(thread, site, sp), lge_thread_serial(thread),
                                        false};
        report(thread, lgi_barrier_destroyed(barrier, call), site, sp);
        lgi_leave(thread);
    }
    return lgi_real.barrier_destroy(barrier);
}

/* True when the thread may have to wait. */
static bool publish(struct lge_thread *thread, const pthread_barrier_t *barrier,
                    const struct lgi_round *round, uintptr_t site, uintptr_t sp) {
    const _Atomic uint32_t *all_here = lgi_barrier_all_here(round);
    if (atomic_load_explicit(all_here, memory_order_relaxed) != 0)
        return false;
    if (lge_wait_barrier(thread, barrier, all_here, site, sp))
        lgi_on_deadlock();
    return true;
}

/* NULL: not tracked. */
static struct lgi_round *arrive(struct lge_thread *thread, const pthread_barrier_t *barrier, uintptr_t site,
                                uintptr_t sp) {
    struct lgi_barrier_call destroyed = {0};
    struct lgi_round *round = lgi_barrier_arrive(thread, barrier, site, sp, &destroyed);
    report(thread, destroyed, site, sp);
    return round;
}

LGI_EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier) {
    struct lge_thread *thread = lgi_enter();
    struct lgi_round *round = NULL;
    bool published = false;
    if (thread != NULL) {
        round = arrive(thread, barrier, LGI_SITE(), LGI_SP());
        published = round != NULL && publish(thread, barrier, round, LGI_SITE(), LGI_SP());
        lgi_leave(thread);
    }
    int result = lgi_real.barrier_wait(barrier);
    if (round != NULL && lgi_enter() != NULL) {
        if (published)
            lge_wait_end(thread);
        lgi_barrier_leave(thread, round);
        lgi_leave(thread);
    }
    return result;
}
