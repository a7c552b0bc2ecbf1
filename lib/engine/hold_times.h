/* How long locks are held: each thread's own sums, by class.  Only where that is
 * wanted (lge_config.profile), since a hold that is timed costs two looks at a clock.
 *
 * | sums of a thread        | the thread, relaxed; anybody reads                     |
 * | its table of them       | the thread, under the list lock; it reads without      |
 * | sums of ended threads   | under the list lock                                    |
 *
 * What a signal handler holds is not timed: it may have come in the middle. */
#ifndef LOCKGRAPH_ENGINE_HOLD_TIMES_H
#define LOCKGRAPH_ENGINE_HOLD_TIMES_H

#include "engine/hold_sample.h"
#include "engine/thread.h"
#include "engine/trace.h"
#include "platform/ticks.h"

/* By class id, which count from 1, with linear probing; never full. */
struct lge_hold_times {
    uint32_t mask, count;
    struct lge_class_times *slots[];
};

/* enum lge_timing; written once at the start. */
enum lge_timing { LGE_TIMING_PROFILE = 1, LGE_TIMING_ADAPTIVE = 2 };
extern unsigned lge_timing;
void lge_hold_times_start(const struct lge_config *config);

/* NULL: none of the class so far. */
static inline struct lge_class_times *lge_class_times(const struct lge_hold_times *table, uint32_t class_id) {
    if (table == NULL)
        return NULL;
    for (uint32_t at = class_id & table->mask; table->slots[at] != NULL; at = (at + 1) & table->mask)
        if (table->slots[at]->class_id == class_id)
            return table->slots[at];
    return NULL;
}

/* The same of the calling thread; and, when it is asked for again, without a search: NULL
 * where others were asked for meanwhile. */
static inline struct lge_class_times *lge_class_times_of(struct lge_thread *self, uint32_t class_id) {
    return self->times_at[class_id % LGE_TIMES_AT] = lge_class_times(self->hold_times, class_id);
}
static inline struct lge_class_times *lge_class_times_again(const struct lge_thread *self,
                                                            uint32_t class_id) {
    struct lge_class_times *times = self->times_at[class_id % LGE_TIMES_AT];
    return times != NULL && times->class_id == class_id ? times : NULL;
}

/* The thread's newest hold, which it just took: nobody else has marked it.  Timed in
 * any case. */
void lge_hold_begins(struct lge_held *held);
/* Before it is taken off the stack; by its thread, in the runtime. */
void lge_hold_ends(struct lge_thread *thread, const struct lge_held *held);

/* Under the list lock: the sums of all threads that there are, and were. */
void lge_hold_times_each(void (*visit)(const struct lge_class_times *times, void *user), void *user);
/* Of a thread that ended; under the list lock. */
void lge_hold_times_end(struct lge_thread *thread);
/* Of the only thread; others' were ended.  All is zero. */
void lge_hold_times_after_fork(struct lge_thread *self);
void lge_hold_times_reset(void);

#endif
