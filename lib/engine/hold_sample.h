/* Which holds of a class are timed, where a thread has very many of them.
 *
 * A look at a clock costs more than a lock.  So of what a thread takes of a class in
 * one jiffy (platform/jiffy.h) the first LGE_HOLDS_TIMED are timed, and from then on
 * one in LGE_HOLDS_A_SAMPLE, at random, which stands for those that were not timed
 * since the last one that was: counts are exact.
 *
 * A hold that is not timed keeps the jiffy in which it began.  When another one has
 * begun meanwhile, and not just now, it was no short one: it is noted by itself, with
 * a time that is known to a jiffy, and all are timed again.  So every hold of two
 * jiffies or more is noted, whatever the sample.  Where there are no jiffies, all are
 * timed.
 *
 * | hold, estimated, untimed, lasted_ns | the thread, relaxed; anybody reads them |
 * | all the others                      | the thread                              | */
#ifndef LOCKGRAPH_ENGINE_HOLD_SAMPLE_H
#define LOCKGRAPH_ENGINE_HOLD_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/held.h"
#include "platform/jiffy.h"
#include "record/figures.h"

enum { LGE_HOLDS_TIMED = 256, LGE_HOLDS_A_SAMPLE = 16 };

struct lge_class_times {
    uint32_t class_id;
    uint32_t untimed;      /* since the last that was timed */
    uint32_t gap;          /* so many may be */
    uint32_t random;       /* of the next gap */
    uint64_t jiffy;        /* the last in which one was timed; 0: there are none */
    uint64_t jiffy_looked; /* the first look at the clock in it; platform/ticks.h */
    uint64_t looked;       /* the last */
    uint64_t lasted_ns;    /* the last that was timed */
    uint32_t timed;        /* in that jiffy */
    uint64_t estimated;    /* of those in `hold`, how many others stand for */
    struct lgr_times hold;
};

/* The thread's newest hold, which it just took: nobody else has marked it.  False: it
 * is to be timed. */
static inline bool lge_sample_begins(const struct lge_class_times *times, struct lge_held *held) {
    uint64_t jiffy = lgp_jiffy();
    if (__builtin_expect(times->untimed >= times->gap || times->jiffy != jiffy, 0))
        return false;
    __atomic_store_n(&held->since_ns, jiffy, __ATOMIC_RELAXED);
    __atomic_store_n(&held->marks, LGE_HOLD_SAMPLED, __ATOMIC_RELEASE);
    return true;
}
void lge_sample_begins_timed(struct lge_class_times *times, struct lge_held *held);

static inline void lge_sample_count(struct lge_class_times *times) {
    __atomic_store_n(&times->untimed, times->untimed + 1, __ATOMIC_RELAXED);
}

/* True when that is all there is to do where such a hold ends. */
static inline bool lge_sample_passes(struct lge_class_times *times, const struct lge_held *held) {
    if (__builtin_expect(lge_held_marks(held) != LGE_HOLD_SAMPLED || held->since_ns != lgp_jiffy(), 0))
        return false;
    lge_sample_count(times);
    return true;
}
/* Where it is not.  The new number of times in its bucket, and in *more how many of
 * them are new; or 0. */
uint64_t lge_sample_ends(struct lge_class_times *times, const struct lge_held *held, uint64_t *more);

/* Holds that still wait for one to stand for them: the last that did stands for these, too.
 * The thread. */
void lge_sample_settle(struct lge_class_times *times);
/* The same in a sum, which the caller alone writes; anybody.  It may then show that they were
 * longer, or shorter. */
void lge_sample_add(struct lgr_times *sum, uint64_t *estimated, const struct lge_class_times *times);

#endif
