/* Orphans: locks that another thread held when the process forked.  In the child
 * they are held by a thread that does not exist.
 *
 * A note at once; a warning when the child takes another lock of that class; an
 * error when it asks for that very lock.  What the forking thread itself holds
 * it can release.
 *
 * Filled in the child while it has one thread; after that `lock` protects it. */
#ifndef LOCKGRAPH_ENGINE_ORPHAN_H
#define LOCKGRAPH_ENGINE_ORPHAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lge_thread;
struct lge_held;
struct lge_request;

/* How many there are; relaxed. */
extern _Atomic uint32_t lge_orphans;

/* Whether the child's copy of the lock agrees that thread `tid` of the parent
 * holds it; must not fault. */
typedef bool lge_orphan_check(const struct lge_held *held, uint32_t tid);

/* In the child, before anything else: looks through the held stacks of the
 * parent's other threads as they were. */
void lge_orphans_collect(const struct lge_thread *self, lge_orphan_check *check);
/* ... and once the engine goes on in the child: notes those that are new, for
 * the fork made at (site, sp). */
void lge_orphans_note(struct lge_thread *self, uintptr_t site, uintptr_t sp);

/* By lge_check and lge_acquired, while there are any. */
void lge_orphan_requested(struct lge_thread *thread, const struct lge_request *request);
void lge_orphan_class_used(struct lge_thread *thread, const struct lge_request *request);

void lge_orphans_reset(void);

#endif
