#include "engine/file_hold.h"
#include "engine/lifecycle.h"

#include "engine/map.h"
#include "engine/mix.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

struct hold {
    struct lge_file_key key;
    struct lge_file_owner owner;
    uint64_t id;
    const void *address;
    uint32_t serial;
    uint32_t generation;
};

static struct {
    struct lgp_lock lock;
    struct lge_map by_owner, by_id;
} holds;

/* Holds of an older generation ended.  Relaxed, as the next. */
static _Atomic uint32_t generation;
/* Something on a stack may have ended; never taken back. */
static _Atomic uint32_t stale;
static _Atomic uint32_t of_process;

uint32_t lge_file_holds_of_process(void) { return atomic_load_explicit(&of_process, memory_order_relaxed); }

void lge_file_holds_end_all(void) {
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
    atomic_store_explicit(&stale, 1, memory_order_relaxed);
}

/* ---- the list: under the lock ---- */

static uint64_t owner_key(const struct lge_file_owner *owner, const struct lge_file_key *key) {
    return owner->description != LGE_OWNED_BY_PROCESS ? owner->description
                                                      : lge_mix(key->device, key->inode) | (uint64_t)1 << 63;
}

static bool stands(const struct hold *hold) {
    return hold->generation == atomic_load_explicit(&generation, memory_order_relaxed);
}

static bool overlap(const struct lge_file_key *a, const struct lge_file_key *b) {
    return a->device == b->device && a->inode == b->inode && a->birth == b->birth && a->ranges == b->ranges &&
           a->first <= b->last && b->first <= a->last;
}

/* `code`: its owner_key.  `key` NULL: whatever it holds. */
static struct hold *find(uint64_t code, const struct lge_file_key *key) {
    for (size_t i = lge_map_first(&holds.by_owner, code); i != SIZE_MAX;
         i = lge_map_next(&holds.by_owner, i)) {
        struct hold *hold = lge_map_at(&holds.by_owner, i);
        if (key == NULL || overlap(&hold->key, key))
            return hold;
    }
    return NULL;
}

static void count_of_process(const struct hold *hold, uint32_t more) {
    if (hold->owner.description == LGE_OWNED_BY_PROCESS)
        atomic_fetch_add_explicit(&of_process, more, memory_order_relaxed);
}

static void drop(struct hold *hold) {
    lge_map_remove(&holds.by_owner, owner_key(&hold->owner, &hold->key), hold);
    lge_map_remove(&holds.by_id, hold->id, hold);
    count_of_process(hold, UINT32_MAX);
    lgp_free(hold, sizeof *hold);
}

static bool insert(struct hold *hold) {
    if (!lge_map_add(&holds.by_id, hold->id, hold))
        return false;
    if (lge_map_add(&holds.by_owner, owner_key(&hold->owner, &hold->key), hold)) {
        count_of_process(hold, 1);
        return true;
    }
    lge_map_remove(&holds.by_id, hold->id, hold);
    return false;
}

/* ---- stacks ---- */

/* We are in a handler: what is below is not ours to change. */
static bool interrupted(const struct lge_thread *thread) {
    return thread->handlers.depth != 0 || (thread->top != thread->base && thread->top->address == NULL);
}

static void take_off(struct lge_thread *thread, const struct hold *hold) {
    if (hold->serial != lge_thread_serial(thread) || interrupted(thread))
        atomic_store_explicit(&stale, 1, memory_order_relaxed);
    else
        lge_released(thread, hold->address);
}

void lge_file_holds_drop_stale(struct lge_thread *thread) {
    if (atomic_load_explicit(&stale, memory_order_relaxed) == 0 || interrupted(thread))
        return;
    for (const struct lge_held *held = thread->top; held > thread->base;) {
        bool ended =
            held->kind == LGR_LOCK_FILE && !lge_file_hold_stands(held->id, lge_thread_serial(thread));
        const void *address = held->address;
        held--;
        if (ended)
            lge_released(thread, address);
    }
}

/* ---- events ---- */

void lge_file_hold_begin(struct lge_thread *thread, const struct lge_request *request,
                         const struct lge_file_key *key, const struct lge_file_owner *owner) {
    struct hold *hold = lgp_alloc(sizeof *hold);
    if (hold == NULL)
        return;
    *hold = (struct hold){.key = *key,
                          .owner = *owner,
                          .id = request->id,
                          .address = request->address,
                          .serial = lge_thread_serial(thread),
                          .generation = atomic_load_explicit(&generation, memory_order_relaxed)};
    lgp_lock(&holds.lock);
    bool listed = insert(hold);
    lgp_unlock(&holds.lock);
    if (listed)
        lge_acquired(thread, request);
    else
        lgp_free(hold, sizeof *hold);
}

bool lge_file_hold_overlaps(const struct lge_file_key *key, const struct lge_file_owner *owner) {
    lgp_lock(&holds.lock);
    const struct hold *hold = find(owner_key(owner, key), key);
    bool does = hold != NULL && stands(hold);
    lgp_unlock(&holds.lock);
    return does;
}

static bool end_one(struct lge_thread *thread, uint64_t code, const struct lge_file_key *key) {
    struct hold ended;
    lgp_lock(&holds.lock);
    struct hold *hold = find(code, key);
    bool found = hold != NULL;
    if (found) {
        ended = *hold;
        drop(hold);
    }
    lgp_unlock(&holds.lock);
    if (found)
        take_off(thread, &ended);
    return found;
}

void lge_file_hold_end(struct lge_thread *thread, const struct lge_file_key *key,
                       const struct lge_file_owner *owner) {
    while (end_one(thread, owner_key(owner, key), key))
        continue;
}

void lge_file_hold_end_description(struct lge_thread *thread, uint64_t description) {
    while (end_one(thread, description, NULL))
        continue;
}

/* ---- questions ---- */

bool lge_file_hold_stands(uint64_t id, uint32_t serial) {
    bool found = false;
    lgp_lock(&holds.lock);
    for (size_t i = lge_map_first(&holds.by_id, id); i != SIZE_MAX && !found;
         i = lge_map_next(&holds.by_id, i)) {
        const struct hold *hold = lge_map_at(&holds.by_id, i);
        found = hold->serial == serial && stands(hold);
    }
    lgp_unlock(&holds.lock);
    return found;
}

uint32_t lge_file_holder(uint64_t id, uint32_t serial) {
    uint32_t holder = 0;
    if (lge_file_lock_shared(id))
        return 0;
    lgp_lock(&holds.lock);
    for (size_t i = lge_map_first(&holds.by_id, id); i != SIZE_MAX && holder == 0;
         i = lge_map_next(&holds.by_id, i)) {
        const struct hold *hold = lge_map_at(&holds.by_id, i);
        if (hold->serial != serial && stands(hold))
            holder = hold->serial;
    }
    lgp_unlock(&holds.lock);
    return holder;
}

void lge_file_holds_ask(uint64_t id, bool (*there)(const struct lge_file_owner *owner, bool ranges)) {
    lgp_lock(&holds.lock);
    for (size_t i = lge_map_first(&holds.by_id, id); i != SIZE_MAX;) {
        struct hold *hold = lge_map_at(&holds.by_id, i);
        bool gone = hold->owner.description != LGE_OWNED_BY_PROCESS && !there(&hold->owner, hold->key.ranges);
        if (gone) {
            drop(hold);
            atomic_store_explicit(&stale, 1, memory_order_relaxed);
        }
        /* A removal moves later entries up. */
        i = gone ? lge_map_first(&holds.by_id, id) : lge_map_next(&holds.by_id, i);
    }
    lgp_unlock(&holds.lock);
}

/* ---- life ---- */

void lge_file_holds_after_fork(struct lge_thread *self) {
    lge_file_holds_reset();
    lge_file_holds_end_all();
    lge_file_holds_drop_stale(self);
}

void lge_file_holds_reset(void) {
    for (size_t i = 0; i < holds.by_id.capacity; i++)
        if (holds.by_id.slots[i].value != NULL)
            lgp_free(holds.by_id.slots[i].value, sizeof(struct hold));
    lge_map_clear(&holds.by_owner);
    lge_map_clear(&holds.by_id);
    atomic_store_explicit(&of_process, 0, memory_order_relaxed);
    atomic_store_explicit(&stale, 0, memory_order_relaxed);
}

struct lgp_part lge_file_holds_part(void) {
    return (struct lgp_part){&holds.lock, (void *)&holds, sizeof holds};
}
