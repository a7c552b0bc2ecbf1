/* Lock waits that are past their limit: who holds the lock meanwhile.
 *
 * Told by the waiting thread itself, which goes on waiting: a finding of kind
 * wait-timeout once for each wait, and lge_config.on_overdue each time the limit
 * has passed once more.  Only a wait that somebody's hold causes: never one for a
 * condition, a barrier, a thread's end, a semaphore that signals or may do so,
 * or one whose holder is not known.  A wait that belongs to a deadlock that was
 * told, or leads there, is no finding of its own. */
#ifndef LOCKGRAPH_ENGINE_OVERDUE_H
#define LOCKGRAPH_ENGINE_OVERDUE_H

#include "engine/holders.h"

void lge_overdue_start(const struct lge_config *config);
/* A lock wait begins, or some other one does. */
void lge_overdue_begin(struct lge_thread *thread);
void lge_overdue_never(struct lge_thread *thread);
/* Still waiting: tells when it is time to. */
void lge_overdue_look(struct lge_thread *thread);

/* For a wait that does not come by again before it ends: who is in the way when
 * it begins, and, once it is over, told if it was too long. */
struct lge_keepers lge_overdue_note(const struct lge_thread *thread);
void lge_overdue_ended(struct lge_thread *thread, const struct lge_keepers *keepers);

/* Its time limit has passed, and the call returns with nothing: told in any case, before
 * lge_wait_end, but for a wait of less than a millisecond and for a semaphore that is no lock.
 * It is a finding where the wait was as long as the others that are.  The call took
 * `least_ms` at least: it began before the wait did. */
void lge_overdue_gave_up(struct lge_thread *thread, uint32_t least_ms);

#endif
