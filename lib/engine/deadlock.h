/* Looks for a cycle in the wait-for graph that contains the calling thread,
 * which has published its wait.
 *
 * Why a report is right: thread A's wait is read, then the owner of what A
 * waits for, then A's sequence again: B owned it while A waited.  When every
 * hop has been read so, all sequences are read once more: all those waits are
 * going on at the same moment, each for something held by the next, who can
 * give nothing back before its own wait ends. */
#ifndef LOCKGRAPH_ENGINE_DEADLOCK_H
#define LOCKGRAPH_ENGINE_DEADLOCK_H

#include "engine/thread.h"

/* True when the thread is part of a deadlock; reports it, once. */
bool lge_deadlock_look(struct lge_thread *thread);
/* Once more for a wait that goes on, unless somebody else is looking. */
bool lge_deadlock_look_again(struct lge_thread *thread);
/* The same for another thread, whose wait has its stacks recorded; while it waits. */
bool lge_deadlock_look_for(struct lge_thread *other);
/* Serial of the thread that holds what this one waits for; 0: not known. */
uint32_t lge_deadlock_owner(const struct lge_thread *thread);
/* wait.c: gives the calling thread's holds and request their contexts. */
void lge_wait_stack(struct lge_thread *thread);
void lge_deadlock_reset(void);

#endif
