#include "engine/known.h"

#include "engine/collect.h"
#include "platform/memory.h"

enum { KNOWN_START = 256, KNOWN_MOST = 1 << 20, RECENT = 512 };

bool lge_known_start(struct lge_thread *thread) {
    if (thread->known == NULL) {
        thread->known = lgp_alloc(KNOWN_START * sizeof *thread->known);
        if (thread->known == NULL)
            return false;
        thread->known_mask = KNOWN_START - 1;
    }
    return true;
}

/* A key lives in one of the eight slots of its cache line, the two that the
 * fast look-up sees first. */
enum { LINE = 8 };

bool lge_known_crowded(const struct lge_thread *thread, uint64_t key) {
    uint64_t line = key & thread->known_mask & ~(uint64_t)(LINE - 1);
    for (uint64_t i = line; i < line + LINE; i++)
        if (atomic_load_explicit(&thread->known[i], memory_order_relaxed) == key)
            return true;
    return false;
}

static bool put_if_free(struct lge_thread *thread, uint64_t slot, uint64_t key) {
    if (atomic_load_explicit(&thread->known[slot], memory_order_relaxed) != 0)
        return false;
    atomic_store_explicit(&thread->known[slot], key, memory_order_relaxed);
    thread->known_count++;
    return true;
}

static void put(struct lge_thread *thread, uint64_t key) {
    uint64_t slot = key & thread->known_mask;
    for (uint64_t i = 0; i < LINE; i++)
        if (put_if_free(thread, slot ^ i, key))
            return;
    atomic_store_explicit(&thread->known[slot ^ (key >> 60 & 1)], key, memory_order_relaxed);
}

/* Clearing by others leaves the count alone: it is an upper bound. */
static void recount(struct lge_thread *thread) {
    thread->known_count = 0;
    for (uint64_t i = 0; i <= thread->known_mask; i++)
        thread->known_count += atomic_load_explicit(&thread->known[i], memory_order_relaxed) != 0;
}

static bool crowded(const struct lge_thread *thread) {
    return thread->known_count * 6 > thread->known_mask && thread->known_mask + 1 < KNOWN_MOST;
}

/* Under the thread list lock, so that no clearing walks the old array. */
static void grow(struct lge_thread *thread) {
    size_t old_size = (size_t)thread->known_mask + 1;
    _Atomic uint64_t *old = thread->known;
    size_t size = old_size * 4 * sizeof(uint64_t);
    _Atomic uint64_t *fresh = lge_collect_spare(size) ? lgp_alloc(size) : NULL;
    if (fresh == NULL) {
        thread->known_count = 0; /* another try only when as many keys again have come */
        return;
    }
    lge_threads_lock();
    thread->known = fresh;
    thread->known_mask = old_size * 4 - 1;
    thread->known_count = 0;
    for (size_t i = 0; i < old_size; i++) {
        uint64_t key = atomic_load_explicit(&old[i], memory_order_relaxed);
        if (key != 0)
            put(thread, key);
    }
    lge_threads_unlock();
    lgp_free((void *)old, old_size * sizeof *old);
}

void lge_known_insert(struct lge_thread *thread, uint64_t key) {
    if (crowded(thread))
        recount(thread);
    if (crowded(thread))
        grow(thread);
    put(thread, key);
}

void lge_known_clear(struct lge_thread *thread) {
    for (uint64_t i = 0; i <= thread->known_mask; i++)
        atomic_store_explicit(&thread->known[i], 0, memory_order_relaxed);
}

void lge_known_clear_all(void) {
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_first(); t != NULL; t = t->next_in_list)
        if (t->known != NULL)
            lge_known_clear(t);
    lge_threads_unlock();
}

void lge_known_free(struct lge_thread *thread) {
    if (thread->known != NULL)
        lgp_free((void *)thread->known, ((size_t)thread->known_mask + 1) * sizeof *thread->known);
    thread->known = NULL;
    thread->known_count = 0;
    lgp_free(thread->recent, RECENT * sizeof *thread->recent);
    thread->recent = NULL;
}

bool lge_recent(struct lge_thread *thread, uint64_t key) {
    return thread->recent != NULL && thread->recent[key % RECENT] == key;
}

void lge_recent_insert(struct lge_thread *thread, uint64_t key) {
    if (thread->recent == NULL)
        thread->recent = lgp_alloc(RECENT * sizeof *thread->recent);
    if (thread->recent != NULL)
        thread->recent[key % RECENT] = key;
}
