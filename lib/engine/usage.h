/* How the locks of each class are used, and the waits for them at each place: what
 * contention costs, counted where a thread waits anyhow, and how long they are held
 * (hold_times.h) where that is measured.
 *
 * | a usage                 | made under the lock; kept until the reset       |
 * | its figures             | anybody who waits, atomics                      |
 * | its sums, its record    | who writes or collects, under the lock          |
 *
 * The lock comes before all others of the engine (graph.h). */
#ifndef LOCKGRAPH_ENGINE_USAGE_H
#define LOCKGRAPH_ENGINE_USAGE_H

#include "engine/thread.h"
#include "record/figures.h"

/* A wait for the thread's request was published; `changed`: another thread than
 * this one waited for that lock before. */
void lge_usage_wait_begins(struct lge_thread *thread, bool changed);
/* That wait is over; nothing without one. */
void lge_usage_wait_ends(struct lge_thread *thread);

/* Writes all of it to the evidence file: records that are written again in place.
 * No engine lock is held. */
void lge_usages_write(void);
/* The same, but not more than a few times in a second.  `now`: monotonic. */
void lge_usages_write_sometimes(uint64_t now);

/* The figures of a class; only of the whole class, in no order. */
struct lge_class_usage {
    uint32_t class_id;
    struct lgr_figures figures;
};
/* A copy of all; *usages is for lgp_free, with *count elements.  False: memory is
 * out. */
bool lge_usages_collect(struct lge_class_usage **usages, size_t *count);

/* In a forked child, whose figures begin at zero. */
void lge_usages_after_fork(struct lge_thread *self);
void lge_usages_reset(void);

#endif
