/* Heartbeats: threads that promised to give a sign of life from time to time, and a
 * finding of kind heartbeat-missed once for each time that one does not.
 *
 * Seen by whoever looks: a thread that waits for a lock, each time its wait is looked
 * at again; a thread that does nothing else; or the thread itself, when its next
 * heartbeat comes too late.
 *
 * The cell lies in the evidence file where there is one, so that `lockgraph run` sees it
 * (record/format.h says who writes what); the rest is the owner's.  Giving one costs a
 * coarse clock and a store. */
#ifndef LOCKGRAPH_ENGINE_HEARTBEAT_H
#define LOCKGRAPH_ENGINE_HEARTBEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/system.h"
#include "record/format.h"

struct lge_thread;

enum { LGE_HEARTBEAT_PLACES = 8 };
struct lge_heartbeat {
    _Atomic(struct lgr_heartbeat *) cell; /* NULL: never promised; owner, release */
    struct lgr_heartbeat own;             /* the cell without a file */
    struct lgr_heartbeat *record;         /* in the file of that generation; evidence.c */
    uint32_t generation;
    uint64_t limit_ns; /* 0: none is promised */
    uint32_t next;     /* of: */
    uintptr_t site;    /* of the last */
    struct {
        uintptr_t site;
        uint32_t context;
    } places[LGE_HEARTBEAT_PLACES];
    char name[16];
};

/* Threads that promised some; relaxed. */
extern _Atomic uint32_t lge_heartbeats_promised __attribute__((visibility("hidden")));
static inline bool lge_heartbeats_expected(void) {
    return atomic_load_explicit(&lge_heartbeats_promised, memory_order_relaxed) != 0;
}
/* Who waits looks at least so often. */
#define LGE_HEARTBEAT_LOOK_NS UINT64_C(100000000)

/* The calling thread promises one each `limit_ns`, from now on; false: it did already. */
bool lge_heartbeat_promise(struct lge_thread *thread, const char *name, uint64_t limit_ns, uintptr_t site,
                           uintptr_t sp);
/* A new thread's. */
void lge_heartbeat_none(struct lge_heartbeat *heartbeat);
/* No more; false: it had not promised any.  By the thread, or as it ends. */
bool lge_heartbeat_end(struct lge_thread *thread);

/* The usual case: in time, and from where the last one came. */
static inline bool lge_heartbeat_again(struct lge_heartbeat *heartbeat, uintptr_t site) {
    struct lgr_heartbeat *cell = atomic_load_explicit(&heartbeat->cell, memory_order_relaxed);
    if (cell == NULL || heartbeat->site != site)
        return false;
    uint64_t now = lgp_coarse_ns(), last = atomic_load_explicit(&cell->last_ns, memory_order_relaxed);
    if (last == 0 || now - last > atomic_load_explicit(&cell->limit_ns, memory_order_relaxed))
        return false;
    if (now != last) /* that clock stands still for milliseconds, and the line is in a page of the file */
        atomic_store_explicit(&cell->last_ns, now, memory_order_relaxed);
    return true;
}
/* Any other case. */
void lge_heartbeat_give(struct lge_thread *thread, uintptr_t site, uintptr_t sp);

/* Tells of all threads whose heartbeat is missing.  Any thread, without engine locks. */
void lge_heartbeats_look(void);
/* In the child after fork, on its only thread. */
void lge_heartbeats_after_fork(struct lge_thread *self);

#endif
