/* How many threads there are, and how many of them wait with no end of their
 * own in sight.  One word, so that the last of them to lie down, or to leave,
 * knows that it is the last.
 *
 * Threads that are not known are not counted; who looks asks the kernel, too. */
#ifndef LOCKGRAPH_ENGINE_CENSUS_H
#define LOCKGRAPH_ENGINE_CENSUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Threads in the upper half, those that wait in the lower.  Changed by whoever
 * comes, goes, waits or goes on (acquire and release): who sees a change sees
 * what was published before it. */
extern _Atomic uint64_t lge_census;

#define LGE_CENSUS_THREAD (UINT64_C(1) << 32)
#define LGE_CENSUS_WAIT   UINT64_C(1)

static inline void lge_census_add(uint64_t what) {
    atomic_fetch_add_explicit(&lge_census, what, memory_order_acq_rel);
}
static inline void lge_census_remove(uint64_t what) {
    atomic_fetch_sub_explicit(&lge_census, what, memory_order_acq_rel);
}
/* Nobody is left who does anything, as far as counting tells. */
static inline bool lge_census_all_wait(void) {
    uint64_t now = atomic_load_explicit(&lge_census, memory_order_acquire);
    return (uint32_t)now != 0 && (uint32_t)now >= now >> 32;
}

#endif
