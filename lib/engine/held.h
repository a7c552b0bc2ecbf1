/* Held stacks and chain keys: what a thread holds, and that as one number.
 *
 * | field                | written by                | read by               |
 * | held entries         | owner thread              | owner; others only    |
 * |                      |                           | while it is published |
 * |                      |                           | as waiting (wait.h)   |
 * | marks, since_ns      | owner when it is taken;   | any, relaxed          |
 * |                      | then, by atomic or: owner |                       |
 * |                      | (trace.h, lge_pop), and   |                       |
 * |                      | waiting threads under the |                       |
 * |                      | list's lock (holders.c)   |                       |
 *
 * The key of an entry covers every lock below it and itself, each with its
 * mode and with where it was taken, so "have I seen this request under these
 * locks before" is one comparison. */
#ifndef LOCKGRAPH_ENGINE_HELD_H
#define LOCKGRAPH_ENGINE_HELD_H

#include <stdint.h>

#include "engine/mix.h"

/* A cache line each: between two requests of a server its stack has gone cold. */
struct lge_held {
    _Alignas(64) uint64_t key; /* chain key up to and including this lock */
    uint64_t id;               /* lock id */
    const void *address;       /* NULL: the sentinel below the first entry */
    uintptr_t site;            /* return address of the locking call */
    uintptr_t sp;              /* stack pointer of its caller */
    uint32_t context;          /* 0: not resolved yet */
    uint8_t mode;              /* enum lgr_mode */
    uint8_t kind;              /* enum lgr_lock_kind */
    uint8_t attributes;
    uint8_t marks;      /* enum lge_held_mark */
    uint64_t order_key; /* LGE_HELD_LEVEL: its key among locks of its level */
    uint64_t since_ns;  /* LGE_SINCE_*: on the monotonic clock; LGE_SINCE_TICKS: of platform/ticks.h;
                          LGE_HOLD_SAMPLED alone: of platform/jiffy.h */
};
_Static_assert(sizeof(struct lge_held) == 64, "more than a cache line");

/* Since when a lock is held: taking it reads no clock, but one that had to wait for
 * it notes when it first saw the hold, which was taken before that.  Of a semaphore of
 * one slot that nobody declared a lock: that another lock was held when it was taken,
 * and is not any more. */
enum lge_held_mark {
    LGE_SINCE_AT_LEAST = 1,
    LGE_SINCE_EXACTLY = 2,
    LGE_TAKEN_UNDER = 4,
    LGE_HOLD_TOLD = 8,     /* that it lasts too long */
    LGE_MAY_BLOCK = 16,    /* its lock is meant to be held over blocking calls */
    LGE_PINNED = 32,       /* it must not be given up */
    LGE_SINCE_TICKS = 64,  /* exactly: hold_times.h */
    LGE_HOLD_SAMPLED = 128 /* hold_sample.h; without LGE_SINCE_TICKS it is not timed */
};
enum { LGE_SINCE_UNKNOWN = 0, LGE_SINCE = LGE_SINCE_AT_LEAST | LGE_SINCE_EXACTLY };

static inline uint8_t lge_held_marks(const struct lge_held *held) {
    return __atomic_load_n(&held->marks, __ATOMIC_RELAXED);
}
static inline void lge_held_mark(struct lge_held *held, enum lge_held_mark mark) {
    __atomic_fetch_or(&held->marks, (uint8_t)mark, __ATOMIC_RELEASE);
}

/* In the attributes of a hold, beside those of its lock (level.h): it was taken
 * with a declared level; it was not above all that is below it. */
enum { LGE_HELD_LEVEL = 64, LGE_HELD_BELOW = 128, LGE_HELD_LOCKS_OWN = 63 };

/* Where a lock was taken, as far as the key is concerned: a context when one
 * was captured, else the call site. */
static inline uint64_t lge_place(uintptr_t site, uint32_t context) {
    return context ? (uint64_t)context | (uint64_t)1 << 63 : (uint64_t)site;
}
/* Locks made one after the other have keys one after the other, of what is locked
 * at one place under the same holds: they lie side by side in a table of known
 * chains, as the locks themselves mostly do.  In the upper half they are as different as
 * any. */
#define LGE_KEY_STEP 0x9e3779b900000001u
static inline uint64_t lge_chain_key(uint64_t below, uint64_t id, uint8_t mode, uint64_t place) {
    return lge_mix(below, place ^ (uint64_t)mode << 62) + id * LGE_KEY_STEP;
}

#endif
