/* The per-thread cache of known chains: the whole cost of order checking in
 * steady state is one lookup here.
 *
 * A key in the cache means: this thread's dependency for that chain is in the
 * graph.  Keys are inserted by the owner while it holds the table lock or the
 * graph lock, after it saw that the edges are not watched; an edge becomes
 * watched under the graph lock, and every cache is cleared under the table lock
 * afterwards.  So no key of a watched chain survives in any cache.
 *
 * A slot keeps the upper half of a key, the line it is in is chosen by the lower
 * half: small enough to stay in the processor's own caches.  A new chain is
 * taken for a known one about once in 2^31 (its thread's first look; then its
 * edge is missing until another thread or another chain shows it). */
#ifndef LOCKGRAPH_ENGINE_KNOWN_H
#define LOCKGRAPH_ENGINE_KNOWN_H

#include "engine/thread.h"

static inline uint32_t lge_known_tag(uint64_t key) { return (uint32_t)(key >> 32); }

/* Two ways, in one cache line. */
static inline bool lge_known(const struct lge_thread *thread, uint64_t key) {
    uint64_t slot = key & thread->known_mask;
    return atomic_load_explicit(&thread->known[slot], memory_order_relaxed) == lge_known_tag(key) ||
           atomic_load_explicit(&thread->known[slot ^ 1], memory_order_relaxed) == lge_known_tag(key);
}

/* The same, but for keys that had to go elsewhere in their line. */
bool lge_known_crowded(const struct lge_thread *thread, uint64_t key);

bool lge_known_start(struct lge_thread *thread);
void lge_known_insert(struct lge_thread *thread, uint64_t key);
void lge_known_clear(struct lge_thread *thread);
void lge_known_clear_all(void);
void lge_known_free(struct lge_thread *thread);

/* A second, smaller cache with the same meaning of a hit, looked at only after
 * a miss of the first: class edges, and watched chains with the epoch mixed
 * into the key.  Owner only. */
bool lge_recent(struct lge_thread *thread, uint64_t key);
void lge_recent_insert(struct lge_thread *thread, uint64_t key);

#endif
