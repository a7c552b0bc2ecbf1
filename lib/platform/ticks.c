#include "platform/ticks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define ONE UINT64_C(1) << 32
struct lgp_tick_rate lgp_tick_rate = {false, ONE};

/* Both clocks at one moment. */
struct moment {
    uint64_t counter, ns;
};
static struct moment first; /* written by the constructor */
static uint64_t first_rate;

/* Runs at one speed, also asleep, and alike on all processors. */
static bool even(void) {
#if defined(__x86_64__)
    enum { POWER = (int)0x80000007, INVARIANT = 1 << 8 };
    unsigned a, b, c, d;
    return __get_cpuid((unsigned)POWER, &a, &b, &c, &d) != 0 && (d & INVARIANT) != 0;
#elif defined(__aarch64__)
    return true; /* the architecture says so */
#else
    return false;
#endif
}

/* Of a few tries the one that nothing came between. */
static struct moment look(void) {
    enum { TRIES = 8 };
    struct moment best = {0, 0};
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = lgp_counter(), ns = lgp_monotonic_ns(), after = lgp_counter();
        if (after - before >= shortest)
            continue;
        shortest = after - before;
        best = (struct moment){before + (after - before) / 2, ns};
    }
    return best;
}

/* 0: not measurable. */
static uint64_t rate_until(const struct moment *now) {
    __extension__ typedef unsigned __int128 wide;
    if (now->counter <= first.counter || now->ns <= first.ns)
        return 0;
    return (uint64_t)(((wide)(now->ns - first.ns) << 32) / (now->counter - first.counter));
}

void lgp_ticks_start(void) {
    enum { LONG_ENOUGH = 2000000 };
    struct moment now;
    if (!even())
        return;
    first = look();
    do
        now = look();
    while (now.ns - first.ns < LONG_ENOUGH);
    first_rate = rate_until(&now);
    if (first_rate == 0)
        return;
    lgp_tick_rate = (struct lgp_tick_rate){true, first_rate};
}

/* A machine that slept counted on in one clock only: what is off by a thousandth is
 * no better measurement. */
void lgp_ticks_refine(void) {
    if (!lgp_tick_rate.direct)
        return;
    struct moment now = look();
    uint64_t rate = rate_until(&now), most = first_rate / 1000;
    if (now.ns - first.ns > UINT64_C(100000000) && rate + most > first_rate && rate < first_rate + most)
        __atomic_store_n(&lgp_tick_rate.ns_per_2_32, rate, __ATOMIC_RELAXED);
}
