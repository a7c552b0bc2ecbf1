#include "engine/known.h"

#include <string.h>

#include "engine/collect.h"
#include "engine/context.h"
#include "platform/memory.h"

/* Slots; a table is grown when a third of as many keys are in it. */
enum { KNOWN_START = 256, KNOWN_MOST = 1 << 20, KNOWN_LOAD = 3, RECENT = 512 };

enum { LINE = LGE_KNOWN_LINE };

/* From this size on a table is larger than what a processor keeps next to itself. */
enum { KNOWN_LARGE = 1 << 14 };

/* All of a chain, as growth needs it.  They follow the slots in one block, in
 * the order they came; nobody else reads them, and one counts only while its
 * slot has it, so clearing leaves them alone. */
struct known_chain {
    uint32_t tag, place; /* upper and lower half of the key */
    uint32_t below;
};

static size_t slots_of(const struct lge_thread *thread) { return (size_t)thread->known_mask + 1; }
static size_t room_of(size_t slots) { return slots / KNOWN_LOAD; }
static size_t size_of(size_t slots) {
    return slots * sizeof(uint32_t) + room_of(slots) * sizeof(struct known_chain);
}
static struct known_chain *chains_of(struct lge_thread *thread) {
    return (struct known_chain *)(void *)(thread->known + slots_of(thread));
}
static uint64_t key_of(const struct known_chain *chain) { return (uint64_t)chain->tag << 32 | chain->place; }

static void set_table(struct lge_thread *thread, _Atomic uint32_t *table, size_t slots) {
    thread->known = table;
    thread->known_mask = slots - 1;
    thread->known_by_below = slots < KNOWN_LARGE ? 0 : (slots - 1) & ~(size_t)(LINE - 1);
    thread->known_by_key = (slots - 1) & ~thread->known_by_below;
}

bool lge_known_start(struct lge_thread *thread) {
    if (thread->known != NULL)
        return true;
    _Atomic uint32_t *table = lgp_alloc(size_of(KNOWN_START));
    if (table != NULL)
        set_table(thread, table, KNOWN_START);
    return table != NULL;
}

/* The slot in the line of `home` that holds `tag`, or SIZE_MAX. */
static uint64_t find_in_line(const struct lge_thread *thread, uint64_t home, uint32_t tag) {
    for (uint64_t i = 0; i < LINE; i++)
        if (atomic_load_explicit(&thread->known[home ^ i], memory_order_relaxed) == tag)
            return home ^ i;
    return SIZE_MAX;
}

static uint64_t find(const struct lge_thread *thread, uint64_t below, uint64_t key) {
    uint64_t slot = find_in_line(thread, lge_known_near(thread, below, key), lge_known_tag(key));
    return slot != SIZE_MAX ? slot : find_in_line(thread, lge_known_far(thread, key), lge_known_tag(key));
}

bool lge_known_crowded(const struct lge_thread *thread, uint64_t below, uint64_t key) {
    return find(thread, below, key) != SIZE_MAX;
}

static bool put_if_free(struct lge_thread *thread, uint64_t slot, uint32_t tag) {
    if (atomic_load_explicit(&thread->known[slot], memory_order_relaxed) != 0)
        return false;
    atomic_store_explicit(&thread->known[slot], tag, memory_order_relaxed);
    return true;
}

static bool put_in_line(struct lge_thread *thread, uint64_t home, uint64_t from, uint64_t to, uint32_t tag) {
    for (uint64_t i = from; i < to; i++)
        if (put_if_free(thread, home ^ i, tag))
            return true;
    return false;
}

/* First where the fast look-up sees it. */
static void put(struct lge_thread *thread, uint64_t below, uint64_t key) {
    uint64_t near = lge_known_near(thread, below, key), far = lge_known_far(thread, key);
    uint32_t tag = lge_known_tag(key);
    if (put_in_line(thread, near, 0, LGE_KNOWN_WAYS, tag) || put_in_line(thread, far, 0, LINE, tag))
        return;
    atomic_store_explicit(&thread->known[far ^ (key >> 31 & 1)], tag, memory_order_relaxed);
}

/* Drops the chains that were cleared, pushed out of their line or came twice;
 * the slots of the others are empty afterwards. */
static void take_all(struct lge_thread *thread) {
    struct known_chain *chains = chains_of(thread);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < thread->known_count; i++) {
        uint64_t slot = find(thread, chains[i].below, key_of(&chains[i]));
        if (slot == SIZE_MAX)
            continue;
        atomic_store_explicit(&thread->known[slot], 0, memory_order_relaxed);
        chains[kept++] = chains[i];
    }
    thread->known_count = kept;
}

static void put_all(struct lge_thread *thread) {
    const struct known_chain *chains = chains_of(thread);
    for (uint64_t i = 0; i < thread->known_count; i++)
        put(thread, chains[i].below, key_of(&chains[i]));
}

/* Full for good would be full of chains of locks long gone. */
static void start_again(struct lge_thread *thread) {
    lge_known_clear(thread);
    thread->known_count = 0;
}

static bool grow(struct lge_thread *thread) {
    size_t slots = slots_of(thread), more = slots * 2;
    _Atomic uint32_t *old = thread->known;
    const struct known_chain *chains = chains_of(thread);
    _Atomic uint32_t *fresh = lge_collect_spare(size_of(more)) ? lgp_alloc(size_of(more)) : NULL;
    if (fresh == NULL)
        return false;
    set_table(thread, fresh, more);
    memcpy(chains_of(thread), chains, thread->known_count * sizeof *chains);
    lgp_free((void *)old, size_of(slots));
    return true;
}

/* Under the thread list lock: no clearing may walk the old block, or come
 * between taking a chain and putting it back. */
static void make_room(struct lge_thread *thread) {
    lge_threads_lock();
    take_all(thread);
    bool enough = thread->known_count <= room_of(slots_of(thread)) / 2 ||
                  (slots_of(thread) < KNOWN_MOST && grow(thread));
    if (enough)
        put_all(thread);
    else
        start_again(thread);
    lge_threads_unlock();
}

/* More will be locked under what is taken there: worth fetching what is known of it. */
static void note_outer(const struct lge_thread *thread) {
    uint8_t plain = LGE_SITE_PLAIN;
    if (thread->known_by_below != 0)
        atomic_compare_exchange_strong_explicit(lge_site(thread->top->site), &plain, LGE_SITE_OUTER,
                                                memory_order_relaxed, memory_order_relaxed);
}

void lge_known_insert(struct lge_thread *thread, uint64_t below, uint64_t key) {
    note_outer(thread);
    if (thread->known_count == room_of(slots_of(thread)))
        make_room(thread);
    chains_of(thread)[thread->known_count++] =
        (struct known_chain){lge_known_tag(key), (uint32_t)key, (uint32_t)below};
    put(thread, below, key);
}

void lge_known_clear(struct lge_thread *thread) {
    for (uint64_t i = 0; i <= thread->known_mask; i++)
        atomic_store_explicit(&thread->known[i], 0, memory_order_relaxed);
}

static void clear_list(struct lge_thread *list) {
    for (struct lge_thread *t = list; t != NULL; t = t->next_in_list)
        if (t->known != NULL)
            lge_known_clear(t);
}

void lge_known_clear_all(void) {
    lge_threads_lock();
    clear_list(lge_threads_first());
    clear_list(lge_threads_leaving());
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
