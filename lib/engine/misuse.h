/* Misuse: one call that is wrong whatever the schedule, with the two places that
 * explain it: the call itself, and where its lock was taken, created or destroyed
 * before.
 *
 * In the evidence a misuse is a finding whose first edge is the wrong call
 * (thread, held stack, request_context = the call; from = the lock, held_context
 * = the earlier place) and whose second, where there is one, is the other thread
 * with its hold. */
#ifndef LOCKGRAPH_ENGINE_MISUSE_H
#define LOCKGRAPH_ENGINE_MISUSE_H

#include "engine/engine.h"

struct lge_held;

struct lge_misuse {
    enum lgr_kind kind;
    uint64_t lock;            /* the lock concerned, or 0 */
    uint64_t other;           /* a second lock that it takes to tell the story, or 0 */
    uintptr_t site, sp;       /* the wrong call */
    uint32_t context;         /* the same when it was captured already, else 0 */
    uint32_t earlier_context; /* where the lock was taken, created or destroyed; 0: not known */
    uint32_t earlier_thread;  /* serial of who did that; 0: not known */
    uint8_t earlier_mode;     /* enum lgr_mode, where it was taken */
    uint64_t detail;          /* by kind: an errno value, a signal number; format.h */
    /* Of `lock`, where neither the order graph nor the caller's held stack knows
     * it; without them the report cannot name it. */
    const void *address;
    uint8_t lock_kind;  /* enum lgr_lock_kind */
    uint8_t attributes; /* enum lgr_lock_attribute */
    uint8_t severity;   /* enum lgr_severity of this case; 0: the kind's default */
    const char *text;   /* of kind user */
};

/* Reports it, once per kind, class and places; counts it when it comes again,
 * and reports it anew when it is graver than before.  By the thread that made
 * the call, without any engine lock. */
void lge_report_misuse(struct lge_thread *thread, const struct lge_misuse *misuse);
/* The same of a hold of the thread's own, by a call at (site, sp), before the hold goes. */
void lge_report_hold(struct lge_thread *thread, const struct lge_held *held, enum lgr_kind kind,
                     uint64_t detail, uintptr_t site, uintptr_t sp);
/* False when check.<kind>=off: nothing needs to be looked for. */
bool lge_misuse_wanted(enum lgr_kind kind);
/* DESIGN of the catalogue: the severity of a kind without any option. */
enum lgr_severity lge_kind_severity(enum lgr_kind kind);

#endif
