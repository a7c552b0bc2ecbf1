#include "engine/hold_sample.h"

#include <stdatomic.h>

#include "platform/system.h"
#include "platform/ticks.h"

/* ---- notes ---- */

/* Before they are noted. */
static uint32_t take_untimed(struct lge_class_times *times) {
    uint32_t untimed = times->untimed;
    __atomic_store_n(&times->untimed, 0, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_release);
    return untimed;
}

static uint64_t note(struct lge_class_times *times, uint64_t ns, uint64_t others) {
    __atomic_store_n(&times->estimated, times->estimated + others, __ATOMIC_RELAXED);
    return lgr_times_note_many(&times->hold, ns, others + 1);
}

void lge_sample_settle(struct lge_class_times *times) {
    uint32_t untimed = take_untimed(times);
    if (untimed == 0)
        return;
    note(times, times->lasted_ns, untimed - 1);
    __atomic_store_n(&times->estimated, times->estimated + 1, __ATOMIC_RELAXED);
}

void lge_sample_add(struct lgr_times *sum, uint64_t *estimated, const struct lge_class_times *times) {
    lgr_times_add(sum, &times->hold);
    *estimated += lgr_figure(&times->estimated);
    atomic_thread_fence(memory_order_acquire); /* pairs with take_untimed: none is read twice */
    uint32_t untimed = __atomic_load_n(&times->untimed, __ATOMIC_RELAXED);
    if (untimed == 0)
        return;
    lgr_times_note_many(sum, __atomic_load_n(&times->lasted_ns, __ATOMIC_RELAXED), untimed);
    *estimated += untimed;
}

/* Of two ticks since a hold began one at least was a whole jiffy later: so it is where the
 * processor was taken away at one tick and came back at another. */
static bool ticked_twice(uint64_t jiffy, uint64_t coarse_ns, uint64_t ns) {
    uint64_t step = lgp_jiffies.step_ns;
    return ns >= step && coarse_ns - lgp_jiffy_ns(jiffy) > step + step / 2;
}

/* Whether a hold that began in that jiffy, and lasted at most `ns`, is certain to have
 * been none of the short ones. */
static bool stands_out(uint64_t jiffy, uint64_t ns) {
    uint64_t step = lgp_jiffies.step_ns, well_inside = step / 64;
    if (ns < well_inside || jiffy == lgp_jiffy())
        return false;
    uint64_t coarse_ns = lgp_coarse_ns();
    return ns >= 2 * step || ticked_twice(jiffy, coarse_ns, ns) ||
           lgp_monotonic_ns() - coarse_ns >= well_inside;
}

/* By itself; and all that follow are timed. */
static uint64_t note_alone(struct lge_class_times *times, uint64_t ns) {
    lge_sample_settle(times);
    times->gap = times->timed = 0;
    return note(times, ns, 0);
}

/* ---- begin ---- */

static void next_jiffy(struct lge_class_times *times) {
    lge_sample_settle(times);
    times->jiffy = lgp_jiffy_sure();
    times->jiffy_looked = lgp_ticks();
    times->gap = times->timed = 0;
}

void lge_sample_begins_timed(struct lge_class_times *times, struct lge_held *held) {
    if (times->jiffy != lgp_jiffy())
        next_jiffy(times);
    times->looked = lgp_ticks();
    __atomic_store_n(&held->since_ns, times->looked, __ATOMIC_RELAXED);
    __atomic_store_n(&held->marks, LGE_HOLD_SAMPLED | LGE_SINCE_TICKS, __ATOMIC_RELEASE);
}

/* ---- end ---- */

/* A jiffy that does not end (of a virtual machine whose other processor does not get on)
 * tells nothing. */
static bool goes_on(const struct lge_class_times *times) {
    enum { TOO_LONG = 100000000 };
    return times->jiffy != 0 && lgp_ticks_between(times->jiffy_looked, times->looked) < TOO_LONG;
}

static uint32_t next_gap(struct lge_class_times *times) {
    if (++times->timed < LGE_HOLDS_TIMED || !goes_on(times))
        return 0;
    times->random = times->random * 1664525u + 1013904223u; /* Numerical Recipes, 7.1 */
    return (times->random >> 16) % (2 * LGE_HOLDS_A_SAMPLE - 1);
}

static uint64_t timed_ends(struct lge_class_times *times, uint64_t ns, uint64_t *more) {
    *more = 1;
    if (stands_out(times->jiffy, ns))
        return note_alone(times, ns);
    *more += take_untimed(times);
    __atomic_store_n(&times->lasted_ns, ns, __ATOMIC_RELAXED);
    times->gap = next_gap(times);
    return note(times, ns, *more - 1);
}

static uint64_t ns_since(uint64_t jiffy) {
    uint64_t now_ns = lgp_monotonic_ns(), since_ns = lgp_jiffy_ns(jiffy);
    return now_ns > since_ns ? now_ns - since_ns : 0;
}

/* A forked child has other times, in which none stands for it; and where it has another
 * clock, nothing is known. */
static uint64_t inherited_ends(struct lge_class_times *times, uint64_t jiffy, uint64_t *more) {
    *more = lgp_jiffy_sure() != 0;
    return *more == 0 ? 0 : note_alone(times, ns_since(jiffy));
}

static uint64_t untimed_ends(struct lge_class_times *times, uint64_t jiffy, uint64_t now, uint64_t *more) {
    if (times->jiffy == 0)
        return inherited_ends(times, jiffy, more);
    uint64_t ns = jiffy == times->jiffy ? lgp_ticks_between(times->looked, now) : ns_since(jiffy);
    if (stands_out(jiffy, ns)) {
        *more = 1;
        return note_alone(times, ns);
    }
    lge_sample_count(times);
    return *more = 0;
}

uint64_t lge_sample_ends(struct lge_class_times *times, const struct lge_held *held, uint64_t *more) {
    uint64_t now = lgp_ticks();
    if ((lge_held_marks(held) & LGE_SINCE_TICKS) == 0)
        return untimed_ends(times, held->since_ns, now, more);
    times->looked = now;
    return timed_ends(times, lgp_ticks_between(held->since_ns, now), more);
}
