/* The kernel's clock tick (jiffy): which one it is, for the price of two loads.
 *
 * At each of its ticks, every 1 to 10 ms, the kernel writes CLOCK_MONOTONIC_COARSE into
 * the page that its vDSO reads, [vvar], which every process has mapped.  Where in that
 * page is no promise of its, so the place is looked for at the start, and what stands
 * there is never taken for the time: it tells only that the coarse clock still says
 * what clock_gettime said (lgp_jiffy_sure).  Where it does not (no vDSO, another
 * layout, a time namespace) there are no jiffies.
 *
 * | lgp_jiffies.words | constructor; turned off by any thread, relaxed      |
 * | the two words     | the kernel, in place; relaxed, each by itself       |
 * | step_ns           | constructor                                         | */
#ifndef LOCKGRAPH_PLATFORM_JIFFY_H
#define LOCKGRAPH_PLATFORM_JIFFY_H

#include <stdint.h>

struct lgp_jiffies {
    const uint64_t *words; /* seconds and nanoseconds; two zeros: none */
    uint64_t step_ns;      /* from one to the next, as long as a processor is busy; 0: none */
};
extern struct lgp_jiffies lgp_jiffies;

/* Which one it is; 0: there are none.  Equal ones are the same, but for what is read
 * while it changes, which is none that lgp_jiffy_sure ever returned. */
static inline uint64_t lgp_jiffy(void) {
    const uint64_t *words = __atomic_load_n(&lgp_jiffies.words, __ATOMIC_RELAXED);
    return __atomic_load_n(&words[0], __ATOMIC_RELAXED) << 32 | __atomic_load_n(&words[1], __ATOMIC_RELAXED);
}
/* When it began, on the monotonic clock: at most a step ago while it lasts. */
static inline uint64_t lgp_jiffy_ns(uint64_t jiffy) { return (jiffy >> 32) * 1000000000u + (uint32_t)jiffy; }

/* The same, and it is what the coarse clock says; else 0, and from then on there are
 * none.  Any thread. */
uint64_t lgp_jiffy_sure(void);
/* Once, before there are threads; after lgp_clock_start. */
void lgp_jiffy_start(void);

#endif
