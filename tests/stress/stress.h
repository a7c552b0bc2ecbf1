/* A program that does everything at once with correct lock discipline: it must
 * end in time, and nothing may be found in it.  Plain POSIX; knows nothing of
 * the project.
 *
 * An actor is a thread that repeats bounded steps.  Whatever a step starts
 * (threads, children, libraries) is gone when it returns, so memory stays flat
 * and a hang belongs to a name.
 *
 * Order of locks: an actor enters a step with nothing held; the locks of
 * table.c are taken in ascending order; all others are taken alone, or inside
 * the table's, never the other way round. */
#ifndef LOCKGRAPH_STRESS_H
#define LOCKGRAPH_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct actor {
    const char *name;
    void (*step)(struct actor *actor);
    uint64_t random;             /* of this thread alone */
    _Atomic unsigned long steps; /* relaxed: the watchdog sees that it rises */
};

/* 0 … below - 1. */
uint32_t pick(struct actor *actor, uint32_t below);
/* Says what is wrong and aborts. */
void must(bool holds, const char *what, const char *file, int line);
#define MUST(condition) must((condition), #condition, __FILE__, __LINE__)

/* In so many milliseconds; long limits are never reached unless something hangs. */
struct timespec in_milliseconds(clockid_t clock, long milliseconds);
#define LONG_LIMIT 60000
/* Sleeps all of it, whatever signals come. */
void rest(long microseconds);

/* ---- table.c ---- */
/* The routes through the table come from the actor's random numbers. */
void table_start(struct actor *actor);
void table_check(void);
/* Takes some of the locks in order, in all ways there are, and releases them. */
void table_visit(struct actor *actor);

/* ---- the steps ---- */
void step_table(struct actor *actor);
void step_fresh_locks(struct actor *actor);
void step_queue(struct actor *actor);
void step_barrier(struct actor *actor);
void step_once(struct actor *actor);
void step_slots(struct actor *actor);
void step_churn(struct actor *actor);
void step_cancel(struct actor *actor);
void step_recursion(struct actor *actor);
void step_owner_death(struct actor *actor);
void step_children(struct actor *actor);
void step_send_signals(struct actor *actor);
void step_take_signals(struct actor *actor);
void step_library(struct actor *actor);

void signals_start(void);
void children_start(void);
/* A new image of this program: a few locks, two threads, exit status 0. */
int brief_main(void);

#endif
