/* Holds that last longer than allowed, lge_config.hold_limit_ns: told by their
 * thread when it gives the lock up, or earlier by one that waits for it.  A
 * finding of kind hold-too-long for each place, and lge_config.on_overlong each
 * time.  Only where a limit is set, and by a front end that leaves its hot paths
 * alone then: every hold has to know since when it is. */
#ifndef LOCKGRAPH_ENGINE_OVERLONG_H
#define LOCKGRAPH_ENGINE_OVERLONG_H

#include "engine/thread.h"

/* Whether holds are looked at when they end: for their limit, or for the time line
 * (timeline.h).  Written by lge_overlong_start. */
extern bool lge_hold_limited __attribute__((visibility("hidden")));

void lge_overlong_start(const struct lge_config *config);

/* Whether holding such a lock is meant to be short: a lock of a file may be a claim
 * on the file, and a semaphore that may be a signal is not held. */
bool lge_hold_counts(uint8_t kind, uint64_t id);

void lge_overlong_release(struct lge_thread *thread, const void *address, uintptr_t site, uintptr_t sp);
/* About to give up the newest hold of `address` with a call at (site, sp). */
static inline void lge_releasing(struct lge_thread *thread, const void *address, uintptr_t site,
                                 uintptr_t sp) {
    if (__builtin_expect(lge_hold_limited, 0))
        lge_overlong_release(thread, address, site, sp);
}

/* A lock wait begins, or some other one does. */
void lge_overlong_begin(struct lge_thread *thread);
void lge_overlong_never(struct lge_thread *thread);
/* Still waiting: tells of the hold that is in the way, when it is time to. */
void lge_overlong_look(struct lge_thread *thread);
/* When that will be, monotonic; UINT64_MAX: never, or not known yet. */
static inline uint64_t lge_overlong_due(const struct lge_thread *thread) {
    return thread->hold_due == 0 ? UINT64_MAX : thread->hold_due;
}

#endif
