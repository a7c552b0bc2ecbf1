/* The per-thread cache of known chains: the whole cost of order checking in
 * steady state is one lookup here.
 *
 * A key in the cache means: this thread's dependency for that chain is in the
 * graph, or it makes none (a recursive request).  Keys of dependencies are
 * inserted by the owner while it holds the table lock or the graph lock, after it
 * saw that the edges are not watched; an edge becomes watched under the graph
 * lock, and every cache is cleared under the table lock afterwards.  So no key of
 * a watched chain survives in any cache.  They are cleared, too, when a call site
 * turns out to be a lock wrapper; a key that slips past that costs the caller's
 * name in a report, no edge.
 *
 * A slot keeps the upper half of a key: small enough to stay in the processor's
 * own caches.  A new chain is taken for a known one about once in 2^27 (its
 * thread's first look; then its edge is missing until another thread or another
 * chain shows it).
 *
 * A chain `below` (what is held) and `key` (with the request) has two lines.  In
 * a large table the near one is chosen by `below` alone, so that all that is
 * locked under the same holds costs one cache miss, and where something is, the
 * line is fetched as soon as `below` is held.  The far one, chosen by the
 * key, takes what has no room there: a root with thousands of locks below it, side
 * by side (held.h).  In a small table both are the far one. */
#ifndef LOCKGRAPH_ENGINE_KNOWN_H
#define LOCKGRAPH_ENGINE_KNOWN_H

#include "engine/thread.h"

enum { LGE_KNOWN_LINE = 16, LGE_KNOWN_WAYS = 4 };

/* Never 0, which is a free slot. */
static inline uint32_t lge_known_tag(uint64_t key) { return (uint32_t)(key >> 32) | 1; }

/* The home of a key in either line; its slot and three neighbours are looked at. */
static inline uint64_t lge_known_near(const struct lge_thread *thread, uint64_t below, uint64_t key) {
    return (below * LGE_KNOWN_LINE & thread->known_by_below) + (key & thread->known_by_key);
}
static inline uint64_t lge_known_far(const struct lge_thread *thread, uint64_t key) {
    return key & thread->known_mask;
}

static inline bool lge_known_at(const struct lge_thread *thread, uint64_t slot, uint64_t key) {
    for (uint64_t i = 0; i < LGE_KNOWN_WAYS; i++)
        if (atomic_load_explicit(&thread->known[slot ^ i], memory_order_relaxed) == lge_known_tag(key))
            return true;
    return false;
}

/* In the near line: all that the hot path asks. */
static inline bool lge_known(const struct lge_thread *thread, uint64_t below, uint64_t key) {
    return lge_known_at(thread, lge_known_near(thread, below, key), key);
}

/* What is known of what is locked under `below` will be asked for.  A small table is
 * near anyhow. */
static inline void lge_known_fetch(const struct lge_thread *thread, uint64_t below) {
    if (thread->known_by_below != 0)
        __builtin_prefetch((const void *)&thread->known[lge_known_near(thread, below, 0)]);
}

/* The same, but for keys that had to go elsewhere in their lines. */
bool lge_known_crowded(const struct lge_thread *thread, uint64_t below, uint64_t key);

bool lge_known_start(struct lge_thread *thread);
void lge_known_insert(struct lge_thread *thread, uint64_t below, uint64_t key);
void lge_known_clear(struct lge_thread *thread);
void lge_known_clear_all(void);
void lge_known_free(struct lge_thread *thread);

/* A second, smaller cache with the same meaning of a hit, looked at only after
 * a miss of the first: class edges, and watched chains with the epoch mixed
 * into the key.  Owner only. */
bool lge_recent(struct lge_thread *thread, uint64_t key);
void lge_recent_insert(struct lge_thread *thread, uint64_t key);

#endif
