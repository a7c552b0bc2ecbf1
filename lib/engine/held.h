/* Held stacks and chain keys: what a thread holds, and that as one number.
 *
 * | field                | written by                | read by               |
 * | held entries         | owner thread              | owner; others only    |
 * |                      |                           | while it is published |
 * |                      |                           | as waiting (wait.h)   |
 * | since, since_ns      | since: owner, to UNKNOWN  | any, relaxed          |
 * |                      | (relaxed); both: waiting  |                       |
 * |                      | threads, under the thread |                       |
 * |                      | list's lock (holders.c),  |                       |
 * |                      | and the owner (trace.h)   |                       |
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
    uint8_t since;     /* enum lge_since */
    uint64_t since_ns; /* on the monotonic clock */
};
_Static_assert(sizeof(struct lge_held) == 64, "more than a cache line");

/* Since when a lock is held.  Taking it reads no clock: one that had to wait for
 * it notes when it first saw the hold, which was taken before that. */
enum lge_since { LGE_SINCE_UNKNOWN, LGE_SINCE_AT_LEAST, LGE_SINCE_EXACTLY };

/* Where a lock was taken, as far as the key is concerned: a context when one
 * was captured, else the call site. */
static inline uint64_t lge_place(uintptr_t site, uint32_t context) {
    return context ? (uint64_t)context | (uint64_t)1 << 63 : (uint64_t)site;
}
static inline uint64_t lge_chain_key(uint64_t below, uint64_t id, uint8_t mode, uint64_t place) {
    return lge_mix(below ^ id, place ^ (uint64_t)mode << 62);
}

#endif
