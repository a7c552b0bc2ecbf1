/* Who holds which lock of a file, and through what.
 *
 * A hold is on the held stack of the thread that took it, like any other; but
 * any thread may end it: by unlocking, or by closing the descriptor.  So the
 * holds are in a list, too, by their owner, and what is on a stack and in no
 * list is taken off at the next check.
 *
 * An owner is an open file description, by a number that the front end gives
 * it, or the process (record locks): such a hold ends when any descriptor of the
 * file is closed.
 *
 * Synchronised by a lock of its own, innermost but for memory's. */
#ifndef LOCKGRAPH_ENGINE_FILE_HOLD_H
#define LOCKGRAPH_ENGINE_FILE_HOLD_H

#include "engine/file_lock.h"
#include "engine/thread.h"

#define LGE_OWNED_BY_PROCESS 0u

struct lge_file_owner {
    uint64_t description; /* from 1, or LGE_OWNED_BY_PROCESS */
    int descriptor;       /* one that led to it when it was locked */
};

/* lge_acquired, of a lock of a file. */
void lge_file_hold_begin(struct lge_thread *thread, const struct lge_request *request,
                         const struct lge_file_key *key, const struct lge_file_owner *owner);
/* Whether that owner holds any byte of the range, by any thread. */
bool lge_file_hold_overlaps(const struct lge_file_key *key, const struct lge_file_owner *owner);
/* Ends every hold of the owner that has a byte of the range. */
void lge_file_hold_end(struct lge_thread *thread, const struct lge_file_key *key,
                       const struct lge_file_owner *owner);
/* Ends all holds of a description that is closed. */
void lge_file_hold_end_description(struct lge_thread *thread, uint64_t description);
/* Nothing of what was held until now is claimed any more.  Async-signal-safe. */
void lge_file_holds_end_all(void);
/* Record locks that the process holds; relaxed. */
uint32_t lge_file_holds_of_process(void);

/* Whether the thread of that serial still holds it: for who finds it on a stack. */
bool lge_file_hold_stands(uint64_t id, uint32_t serial);
/* A thread that holds the lock, and of which `serial` has to wait; 0: not known. */
uint32_t lge_file_holder(uint64_t id, uint32_t serial);
/* Ends the holds of that lock of which `there`, called under the lock, says that
 * the kernel knows no lock of that description. */
void lge_file_holds_ask(uint64_t id, bool (*there)(const struct lge_file_owner *owner, bool ranges));
/* Takes holds that ended off the stack. */
void lge_file_holds_drop_stale(struct lge_thread *thread);

/* In a forked child, on its only thread: a child has none of its parent's record
 * locks, and shares the others with it; of those nothing is claimed. */
void lge_file_holds_after_fork(struct lge_thread *self);
void lge_file_holds_reset(void);

#endif
