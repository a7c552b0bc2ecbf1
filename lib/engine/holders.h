/* Who holds a lock, or waits for it, seen from another thread: for reports only.
 *
 * Blocks and held stacks stay mapped under the thread list's lock, but their
 * owners go on meanwhile: an answer is what was so a moment ago, and an entry
 * that is being changed may be missed. */
#ifndef LOCKGRAPH_ENGINE_HOLDERS_H
#define LOCKGRAPH_ENGINE_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/thread.h"

struct lge_holder {
    uint32_t serial;  /* 0: no thread of that kernel id is known */
    uint32_t context; /* where it took the lock, or waits; 0: not known */
    uint32_t tid;
    uint64_t lock;       /* id of the lock held; 0: it does not hold it, as far as is known */
    const void *address; /* of that lock */
    uint8_t kind, attributes;
    uint8_t mode, since; /* enum lgr_mode; of enum lge_held_mark those of LGE_SINCE */
    uint64_t since_ns;   /* monotonic; held.h */
    uintptr_t site;      /* return address of the call that took it; 0: not known */
};

/* The thread with that kernel id, and its newest hold of `address`. */
struct lge_holder lge_holder_find(uint32_t tid, const void *address);
/* Whether the thread has that lock, as its held stack says. */
bool lge_holder_has(const struct lge_thread *thread, uint64_t id);
/* A thread other than `self` that waits for the lock; serial 0: none. */
struct lge_holder lge_waiter_find(const struct lge_thread *self, uint64_t id);
/* Its context, made of the site where none was captured. */
uint32_t lge_holder_context(const struct lge_holder *holder);

/* Marks its hold LGE_HOLD_TOLD; false when that was done before, or it is over. */
bool lge_holder_mark_told(const struct lge_holder *holder);

/* Who keeps a thread from the lock it waits for. */
struct lge_keepers {
    struct lge_holder first;
    uint32_t count;   /* holds that are in its way; 0: none is known */
    uint32_t threads; /* whose they are */
    uint32_t own;     /* those of its own that are not counted */
};
/* By its owner, where the lock tells one, else by the held stacks of all threads.
 * Holds that had not been seen by a waiting thread are from now on (held.h:
 * since).  By the thread that waits. */
struct lge_keepers lge_keepers_find(const struct lge_thread *waiter);
/* Threads other than `self` that wait for the lock, among the newest `most`. */
uint32_t lge_waiters_count(const struct lge_thread *self, uint64_t id, uint32_t most);
/* Holds of that address, by all threads. */
uint32_t lge_holders_count(const void *address);
/* A hold of any thread between the addresses that passes `accept`; where there
 * are very many threads, of the newest few hundred. */
struct lge_holder lge_holder_within(const void *start, size_t size,
                                    bool (*accept)(const struct lge_holder *holder));

#endif
