#include "engine/known.h"

#include <string.h>

#include "engine/collect.h"
#include "platform/memory.h"

/* Slots; a table is grown when a third of as many keys are in it. */
enum { KNOWN_START = 256, KNOWN_MOST = 1 << 21, KNOWN_LOAD = 3, RECENT = 512 };

/* A key lives in one of the sixteen slots of its cache line, the two that the
 * fast look-up sees first. */
enum { LINE = 16 };

/* The whole keys follow the slots in one block, in the order they came: growth
 * needs the halves that the slots do not keep.  Otherwise nobody reads them, and
 * a key counts only while its slot has it, so clearing leaves them alone. */
static size_t slots_of(const struct lge_thread *thread) { return (size_t)thread->known_mask + 1; }
static size_t room_of(size_t slots) { return slots / KNOWN_LOAD; }
static size_t size_of(size_t slots) { return slots * sizeof(uint32_t) + room_of(slots) * sizeof(uint64_t); }
static uint64_t *keys_of(struct lge_thread *thread) {
    return (uint64_t *)(void *)(thread->known + slots_of(thread));
}

bool lge_known_start(struct lge_thread *thread) {
    if (thread->known == NULL) {
        thread->known = lgp_alloc(size_of(KNOWN_START));
        if (thread->known == NULL)
            return false;
        thread->known_mask = KNOWN_START - 1;
    }
    return true;
}

bool lge_known_crowded(const struct lge_thread *thread, uint64_t key) {
    uint64_t line = key & thread->known_mask & ~(uint64_t)(LINE - 1);
    for (uint64_t i = line; i < line + LINE; i++)
        if (atomic_load_explicit(&thread->known[i], memory_order_relaxed) == lge_known_tag(key))
            return true;
    return false;
}

static bool put_if_free(struct lge_thread *thread, uint64_t slot, uint64_t key) {
    if (atomic_load_explicit(&thread->known[slot], memory_order_relaxed) != 0)
        return false;
    atomic_store_explicit(&thread->known[slot], lge_known_tag(key), memory_order_relaxed);
    return true;
}

static void put(struct lge_thread *thread, uint64_t key) {
    uint64_t slot = key & thread->known_mask;
    for (uint64_t i = 0; i < LINE; i++)
        if (put_if_free(thread, slot ^ i, key))
            return;
    atomic_store_explicit(&thread->known[slot ^ (key >> 31 & 1)], lge_known_tag(key), memory_order_relaxed);
}

static bool take(struct lge_thread *thread, uint64_t key) {
    uint64_t line = key & thread->known_mask & ~(uint64_t)(LINE - 1);
    for (uint64_t i = line; i < line + LINE; i++)
        if (atomic_load_explicit(&thread->known[i], memory_order_relaxed) == lge_known_tag(key)) {
            atomic_store_explicit(&thread->known[i], 0, memory_order_relaxed);
            return true;
        }
    return false;
}

/* Drops the keys that were cleared, pushed out of their line or came twice; the
 * slots of the others are empty afterwards. */
static void take_all(struct lge_thread *thread) {
    uint64_t *keys = keys_of(thread), kept = 0;
    for (uint64_t i = 0; i < thread->known_count; i++)
        if (take(thread, keys[i]))
            keys[kept++] = keys[i];
    thread->known_count = kept;
}

static bool grow(struct lge_thread *thread) {
    size_t slots = slots_of(thread), more = slots * 2;
    _Atomic uint32_t *old = thread->known;
    const uint64_t *keys = keys_of(thread);
    _Atomic uint32_t *fresh = lge_collect_spare(size_of(more)) ? lgp_alloc(size_of(more)) : NULL;
    if (fresh == NULL)
        return false;
    thread->known = fresh;
    thread->known_mask = more - 1;
    memcpy(keys_of(thread), keys, thread->known_count * sizeof *keys);
    lgp_free((void *)old, size_of(slots));
    return true;
}

/* Under the thread list lock: no clearing may walk the old block, or come
 * between taking a key and putting it back. */
static void make_room(struct lge_thread *thread) {
    lge_threads_lock();
    take_all(thread);
    bool enough = thread->known_count <= room_of(slots_of(thread)) / 2 || grow(thread);
    for (uint64_t i = 0; i < thread->known_count; i++)
        put(thread, keys_of(thread)[i]);
    if (!enough)
        thread->known_count = 0; /* another try when as many keys again have come */
    lge_threads_unlock();
}

void lge_known_insert(struct lge_thread *thread, uint64_t key) {
    if (thread->known_count == room_of(slots_of(thread)) && slots_of(thread) < KNOWN_MOST)
        make_room(thread);
    if (thread->known_count < room_of(slots_of(thread)))
        keys_of(thread)[thread->known_count++] = key;
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
        lgp_free((void *)thread->known, size_of(slots_of(thread)));
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
