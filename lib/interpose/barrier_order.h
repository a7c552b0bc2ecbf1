/* What a barrier orders: all that the threads of a round did before they came
 * is before all that they do when they have left.
 *
 * Every round has a point of its own, because the fast ones of a round come to
 * the next one while the slow ones are still leaving: one point for all rounds
 * would tell the slow ones more than they may know.
 *
 * A round is whoever came one after the other, as many as the barrier counts.
 * Where more threads than that are inside at once, libc may put them together
 * in another way, and in the next run will: such a barrier orders nothing from
 * then on.
 *
 * Of a process-shared barrier those who come from other processes are not seen.  It
 * orders as others do as long as nobody leaves a round before as many came as it
 * counts: then all of them are this process's threads. */
#ifndef LOCKGRAPH_INTERPOSE_BARRIER_ORDER_H
#define LOCKGRAPH_INTERPOSE_BARRIER_ORDER_H

#include "engine/engine.h"

struct lgi_round;

/* A call, and who made it; thread 0: nobody did. */
struct lgi_barrier_call {
    uint32_t context;
    uint32_t thread; /* serial */
    bool waits;      /* it is a wait that is not over; else a destruction */
};

/* The wait that is not over there, unless other processes come to what was there.
 * `shared`: they come to this one. */
struct lgi_barrier_call lgi_barrier_initialised(const void *barrier, unsigned count, bool shared);
/* `call`: this one.  The wait that is not over there, or the destruction before
 * this one. */
struct lgi_barrier_call lgi_barrier_destroyed(const void *barrier, struct lgi_barrier_call call);
/* All between the addresses, also that they were destroyed: their memory goes. */
void lgi_barriers_unmapped(const void *start, size_t size);
/* About to wait.  NULL: the barrier is not known, nothing is ordered; *destroyed
 * is where it was destroyed, as far as that is remembered. */
struct lgi_round *lgi_barrier_arrive(struct lge_thread *thread, const void *barrier, uintptr_t site,
                                     uintptr_t sp, struct lgi_barrier_call *destroyed);
/* 0 until the wait is over, as far as that is known: for lge_wait_barrier.
 * Readable until lgi_barrier_leave. */
const _Atomic uint32_t *lgi_barrier_all_here(const struct lgi_round *round);
/* After the wait; takes back what lgi_barrier_arrive gave. */
void lgi_barrier_leave(struct lge_thread *thread, struct lgi_round *round);
/* In a forked child: nobody is inside any barrier. */
void lgi_barriers_after_fork(void);

#endif
