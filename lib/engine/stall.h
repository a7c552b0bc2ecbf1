/* A stall: every thread of the process waits for ever, and nobody is left who
 * could end one of the waits.
 *
 * The last thread that lies down, or leaves, looks: the census says that it is
 * the last.  A report is right because
 * - each thread's wait was read, has no limit, and nobody outside the process
 *   ends it;
 * - none of them is over although its thread has not run since: nobody who
 *   waits for that condition was signalled, the semaphore has no slot, the owner
 *   of the lock waits and still holds it, the one who is joined has not ended,
 *   somebody is missing at the barrier;
 * - none was cancelled;
 * - the kernel has no other thread, no handler is installed, no object lies in
 *   memory shared with other processes, and all threads sleep (config.company);
 * - all of it holds twice, some time apart, with every wait the same from before
 *   the first look until after the last.
 *
 * Where one of them holds, in its wait for a condition, a semaphore or a
 * barrier, a lock that another one waits for, these two wait for each other:
 * then that is told, as a deadlock.  Where a deadlock was told of one of them,
 * nothing is. */
#ifndef LOCKGRAPH_ENGINE_STALL_H
#define LOCKGRAPH_ENGINE_STALL_H

#include "engine/thread.h"

/* By a thread that has published its wait.  True when there is a stall, which is
 * then reported.  Costs one look at the census where there is none. */
bool lge_stall_look(struct lge_thread *thread);
/* By a thread that has ended: whether it pays to call lge_stall_look_last once
 * it is certain to do nothing more. */
bool lge_stall_near(void);
bool lge_stall_look_last(void);

/* What the front end says about the company of these waits; LGE_ALONE when it
 * cannot be asked. */
struct lge_thread_set;
enum lge_company lge_company_of(const struct lge_thread_set *set);

void lge_stall_start(const struct lge_config *config);

#endif
