/* A clock that costs a few nanoseconds: the processor's own counter, where it runs
 * evenly, with its rate measured against the monotonic clock.
 *
 * Only differences mean anything: between the counters of two processors lies up to
 * a microsecond, and the rate is known to some 50 millionths at first, better later
 * (lgp_ticks_refine).  Where the counter cannot be trusted, a tick is a nanosecond
 * of the monotonic clock.
 *
 * | lgp_tick_rate | constructor; later anybody through lgp_ticks_refine, relaxed |
 * | direct        | constructor                                                  | */
#ifndef LOCKGRAPH_PLATFORM_TICKS_H
#define LOCKGRAPH_PLATFORM_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/system.h"

struct lgp_tick_rate {
    bool direct;          /* the counter is read; else the monotonic clock */
    uint64_t ns_per_2_32; /* nanoseconds in 2^32 ticks */
};
extern struct lgp_tick_rate lgp_tick_rate;

static inline uint64_t lgp_counter(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t counter;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(counter));
    return counter;
#else
    return 0;
#endif
}

static inline uint64_t lgp_ticks(void) {
    return __builtin_expect(lgp_tick_rate.direct, 1) ? lgp_counter() : lgp_monotonic_ns();
}

/* Nanoseconds from one look at the clock to a later one; 0 where the other
 * processor's counter is behind. */
static inline uint64_t lgp_ticks_between(uint64_t from, uint64_t to) {
    __extension__ typedef unsigned __int128 wide;
    uint64_t rate = __atomic_load_n(&lgp_tick_rate.ns_per_2_32, __ATOMIC_RELAXED);
    return to > from ? (uint64_t)((wide)(to - from) * rate >> 32) : 0;
}

/* Takes two milliseconds; once, before any look at the clock. */
void lgp_ticks_start(void);
/* Measures the rate again over all the time since the start. */
void lgp_ticks_refine(void);

#endif
