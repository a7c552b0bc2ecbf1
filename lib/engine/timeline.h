/* Single holds and waits, as they ended: in the evidence, for a time line.  Only where
 * that is wanted (lge_config.timeline_ns), by a front end that leaves its hot paths alone
 * then.
 *
 * There is room for a fixed number.  When it is used up the shorter half goes, and from
 * then on only what is longer than that is kept: so all of the run is there, from a length
 * on that the evidence tells.
 *
 * | the room, who writes it | under its lock, which comes after that of usages  |
 * | the least length        | under the lock; anybody reads, relaxed            | */
#ifndef LOCKGRAPH_ENGINE_TIMELINE_H
#define LOCKGRAPH_ENGINE_TIMELINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/thread.h"
#include "platform/system.h"

enum { LGE_TIMELINE_BLOCK = 1024, LGE_TIMELINE_BLOCKS = 16 };

/* UINT64_MAX: nothing is kept. */
extern _Atomic uint64_t lge_timeline_least __attribute__((visibility("hidden")));
static inline bool lge_timeline_wants(uint64_t length_ns) {
    return length_ns >= atomic_load_explicit(&lge_timeline_least, memory_order_relaxed);
}

static inline bool lge_timeline_on(void) { return lge_timeline_wants(UINT64_MAX - 1); }

void lge_timeline_start(const struct lge_config *config);

/* A hold of the calling thread ends, which lasted so long.  No engine lock is held. */
void lge_timeline_hold(struct lge_thread *thread, const struct lge_held *held, uint64_t length_ns);

/* The thread begins a wait of any kind. */
static inline void lge_timeline_begins(struct lge_thread *thread) {
    if (lge_timeline_on())
        thread->wait_begun = lgp_monotonic_ns();
}
/* Its wait, which is still described, is over.  No engine lock is held. */
void lge_timeline_wait(struct lge_thread *thread);

/* In a forked child, whose file begins anew, and for tests. */
void lge_timeline_reset(void);

#endif
