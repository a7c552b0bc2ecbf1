/* The edges of the wait-for graph: whom does a waiting thread wait for?
 *
 * - The owner, where the lock tells: a mutex, and a rwlock that is written.  Where
 *   that may be a thread of another process, whose id means nothing here (it may
 *   be of another namespace), only a thread that has the lock on its held stack.
 * - Holders found in the held stacks of waiting threads, which do not change
 *   during a wait.  One that runs is of no interest: it can go on.  A thread that
 *   ended waits like any other, in its destructors.
 * - At a once control: who runs its routine.
 * - At a barrier: anybody, since anybody may come.
 * - A queue: where writers are preferred a reader waits for the writer that
 *   waits, and that one for the readers that hold the lock.  A reader that was
 *   granted the lock but has not run yet looks like one in the queue, so the
 *   front end is asked (lge_config.shut_out). */
#ifndef LOCKGRAPH_ENGINE_WAIT_FOR_H
#define LOCKGRAPH_ENGINE_WAIT_FOR_H

#include "engine/thread.h"

/* The n-th of those whom a waiting thread waits for; NULL: no more, or not
 * known.  Candidates only, where the lock has no single owner. */
struct lge_thread *lge_waits_for(const struct lge_thread *thread, uint32_t n);
/* The thread of that kernel id, that a lock `waiter` waits for names as its owner: in
 * a forked child perhaps by the id it had before (survivor.h).  NULL: not known. */
struct lge_thread *lge_owner_thread(const struct lge_thread *waiter, uint32_t tid);
/* The only owner there can be, read now; *single is false where holders have to
 * be looked for.  NULL: a stranger, or nobody. */
struct lge_thread *lge_waits_for_owner(const struct lge_thread *thread, bool *single);
/* Locks are given up by others than who took them: from now on the owner that any lock
 * names counts only while it holds it, as far as the holds tell.  Relaxed. */
extern _Atomic bool lge_handed_over;
/* Who runs the routine of that once control now; NULL: nobody, or not known. */
struct lge_thread *lge_runs_once(const void *control);
/* Whether it is in a routine for certain; while it waits, with its stack known. */
bool lge_inside_once(const struct lge_thread *runner);
/* Whether it waits for that one, which waits, too: read anew.  True of both waits
 * when neither sequence has changed before and afterwards. */
bool lge_waits_for_still(const struct lge_thread *thread, const struct lge_thread *next);
/* Whether an edge between these two is one of a queue, no hold. */
bool lge_queues_behind(const struct lge_thread *reader, const struct lge_thread *writer);
/* Whether it waits at a barrier, and that is not over although it has not run
 * yet. */
bool lge_waits_at_barrier(const struct lge_thread *thread);
/* A thread that holds the lock shared, as the waiting one does, and waits to
 * have it exclusively, as it does, too. */
struct lge_thread *lge_other_upgrader(const struct lge_thread *thread);

void lge_wait_for_start(const struct lge_config *config);

#endif
