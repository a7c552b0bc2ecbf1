/* How often and how long each thread waited for locks: counted by the thread when such
 * a wait is over (usage.h), written to its record in the evidence from time to time.
 *
 * | figures of a thread | the thread, relaxed; anybody reads                          |
 * | its record          | the thread, under the list lock; others under that lock     |
 * | the rest, together  | anybody, atomics; its record whoever writes, one at a time  |
 *
 * A program that starts threads without end has no record for each of them: those past
 * the first LGE_THREAD_WAITS of a file are counted together. */
#ifndef LOCKGRAPH_ENGINE_THREAD_WAITS_H
#define LOCKGRAPH_ENGINE_THREAD_WAITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LGE_THREAD_WAITS = 16384 };

struct lge_thread;
struct lgr_thread_waits;

struct lge_thread_waits {
    _Atomic uint64_t count, total_ns, max_ns;
    struct lgr_thread_waits *record;
    bool asked; /* for a record; owner */
};

/* One more wait of the calling thread; no lock of the engine is held. */
void lge_thread_waits_note(struct lge_thread *thread, uint64_t ns);
/* To the records.  One at a time, under no lock that comes after the evidence's. */
void lge_thread_waits_write(void);
/* Its life is over: the last time.  Under the list lock. */
void lge_thread_waits_over(struct lge_thread *thread);

void lge_thread_waits_after_fork(struct lge_thread *self);
void lge_thread_waits_reset(void);

#endif
