/* A thread that ends with locks held.
 *
 * What it holds when its start routine is over may still be given up by
 * destructors: of thread_local objects, and of thread-specific data, which run
 * in up to four rounds.  Only a thread that holds something then, or that may be
 * the last one who could have ended the waits of all others, pays for a
 * destructor of our own, which looks in the last round. */
#ifndef LOCKGRAPH_INTERPOSE_THREAD_EXIT_H
#define LOCKGRAPH_INTERPOSE_THREAD_EXIT_H

#include "engine/thread.h"

/* By the ending thread, inside the runtime, while its start routine's frame is
 * left. */
void lgi_thread_exit_holding(struct lge_thread *thread);
/* By one that has ended already, likewise: afterwards everybody may wait for ever. */
void lgi_thread_exit_last(struct lge_thread *thread);
/* Whether a hold of the thread is one in fact. */
bool lgi_thread_still_holds(const struct lge_thread *thread, const struct lge_held *held);

/* In a forked child: whoever had the lock stayed in the parent. */
void lgi_thread_exit_after_fork(void);

#endif
