#include "engine/identity.h"
#include "engine/lifecycle.h"

#include "engine/context.h"
#include "engine/context_cache.h"
#include "engine/declared.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "engine/regions.h"
#include "engine/side_tag.h"
#include "engine/signal.h"
#include "engine/thread.h"
#include "platform/fork_count.h"
#include "platform/futex_lock.h"
#include "platform/modules.h"
#include "platform/system.h"

/* A lock id is a class number (24 bits) above a lock number (40 bits). */
enum { NUMBER_BITS = LGE_ID_NUMBER_BITS, SET_ASIDE = 64, CLASS_FRAMES = 4 };

struct lge_hot lge_hot = {.tag_secret = 0x5bd1e995a5a5a5a5u, .fast_kind = -1};

static struct {
    struct lgp_lock lock;
    struct lge_map by_address;
    struct lge_regions regions; /* of these addresses */
    struct lge_map shared;      /* by id: those of whom that was said */
    _Atomic uint32_t shares;    /* how many; relaxed: spares look-ups */
    _Atomic uint64_t next;      /* lock number not given out yet; relaxed */
    _Atomic uint64_t base;      /* first number of this process image */
} identity = {.next = 1, .base = 1};

void lge_identity_start(void) {
    /* The top bits are set, so that zeroed memory is never a valid tag. */
    atomic_store_explicit(&identity.next, 1, memory_order_relaxed);
    atomic_store_explicit(&identity.base, 1, memory_order_relaxed);
    lge_hot.tag_secret = lge_mix(lgp_monotonic_ns(), (uintptr_t)&identity) | (uint64_t)3 << 62;
    lge_hot.tag_secret &= ~(uint64_t)LGE_TAG_TURNS;
    lge_side_start();
    lgp_fork_count_start();
}

uint32_t lge_lock_class(uint64_t id) { return lge_class_in(id); }
static uint64_t number_of(uint64_t id) { return id & (((uint64_t)1 << NUMBER_BITS) - 1); }

/* Numbers are set aside in batches so that a new lock costs no shared write. */
uint64_t lge_lock_id_new(struct lge_thread *thread, uint32_t class_id) {
    uint64_t number = atomic_load_explicit(&thread->id_next, memory_order_relaxed);
    bool spent = number == atomic_load_explicit(&thread->id_end, memory_order_relaxed);
    if (spent)
        number = atomic_fetch_add_explicit(&identity.next, SET_ASIDE, memory_order_relaxed);
    atomic_store_explicit(&thread->id_next, number + 1, memory_order_relaxed);
    if (spent)
        atomic_store_explicit(&thread->id_end, number + SET_ASIDE, memory_order_relaxed);
    return (uint64_t)class_id << NUMBER_BITS | number_of(number);
}

/* What threads have set aside and not used is not counted as seen. */
uint64_t lge_identity_count(void) {
    uint64_t unused = lge_threads_unused_numbers();
    uint64_t given = atomic_load_explicit(&identity.next, memory_order_relaxed) -
                     atomic_load_explicit(&identity.base, memory_order_relaxed);
    return given > unused ? given - unused : 0;
}

static uint32_t class_of_variable(const void *address) {
    if (!lgp_module_contains((uintptr_t)address))
        return LGE_CLASS_NONE;
    uint32_t declared = lge_declared_variable((uintptr_t)address);
    return declared != LGE_CLASS_NONE ? declared : lge_class_static_first((uintptr_t)address);
}

static uint32_t class_by_first_use(struct lge_thread *thread, const void *address, uintptr_t site,
                                   uintptr_t sp) {
    uint32_t class = class_of_variable(address);
    if (class != LGE_CLASS_NONE)
        return class;
    uint32_t context = lge_context_capture(thread, site, sp);
    class = lge_declared_used(context);
    return class != LGE_CLASS_NONE ? class : lge_class_guessed(lge_context_head(context, CLASS_FRAMES));
}

static uint32_t class_initialised_at(uint32_t whole) {
    uint32_t context = lge_context_head(whole, CLASS_FRAMES);
    uint32_t class = lge_class_initialised_at(context);
    uint32_t declared = lge_declared_initialised(class, context);
    return declared != LGE_CLASS_NONE ? declared : class;
}

/* Objects that come and go are made at few places. */
static uint32_t class_by_initialisation(struct lge_thread *thread, const void *address, uintptr_t site,
                                        uintptr_t sp) {
    uint32_t class = class_of_variable(address);
    if (class != LGE_CLASS_NONE)
        return class;
    uint32_t context = lge_context_capture(thread, site, sp);
    if (thread->contexts == NULL || context == 0)
        return class_initialised_at(context);
    struct lge_cached_class *cached = lge_cached_class(thread->contexts, context);
    if (cached->context != context)
        *cached = (struct lge_cached_class){context, class_initialised_at(context)};
    return cached->class_id;
}

void lge_tags_stale(void) {
    uint64_t secret = __atomic_load_n(&lge_hot.tag_secret, __ATOMIC_RELAXED);
    /* Release: who sees the new secret sees what its locks have to be seen for. */
    while ((secret & LGE_TAG_TURNS) != LGE_TAG_TURNS &&
           !__atomic_compare_exchange_n(&lge_hot.tag_secret, &secret, secret + 1, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        continue;
}

/* A stale tag becomes valid again, unless all uses of its lock have to be seen. */
static uint64_t renewed(struct lge_tag *tag, const void *address) {
    lgp_lock(&identity.lock);
    uint64_t id = lge_tag_known(tag, address);
    if (id != 0 && !lge_signal_watches(id)) {
        lge_tag_write(tag, address, id);
        atomic_thread_fence(memory_order_acquire); /* the secret read there before what is watched */
        if (lge_signal_watches(id))                /* since just now: with the new secret, perhaps */
            atomic_store_explicit(&tag->check, lge_tag_check(id, address) ^ LGE_TAG_TURNS,
                                  memory_order_relaxed);
    }
    lgp_unlock(&identity.lock);
    return id;
}

/* `fresh` unless the lock has an id by now; then that one goes back. */
static uint64_t install(struct lge_thread *thread, struct lge_tag *tag, const void *address, uint64_t fresh) {
    lgp_lock(&identity.lock);
    uint64_t id = lge_tag_known(tag, address);
    if (id == 0)
        lge_tag_write(tag, address, id = fresh);
    lgp_unlock(&identity.lock);
    if (id != fresh) /* the last one given out */
        atomic_store_explicit(&thread->id_next, number_of(fresh), memory_order_relaxed);
    return id;
}

uint64_t lge_identity_tag_first_use(struct lge_thread *thread, struct lge_tag *tag, const void *address,
                                    uintptr_t site, uintptr_t sp) {
    uint64_t id = renewed(tag, address);
    if (id != 0)
        return id;
    return install(thread, tag, address,
                   lge_lock_id_new(thread, class_by_first_use(thread, address, site, sp)));
}

uint64_t lge_identity_tag_declared(struct lge_thread *thread, struct lge_tag *tag, const void *address,
                                   uint32_t class_id) {
    uint64_t id = renewed(tag, address);
    return id != 0 ? id : install(thread, tag, address, lge_lock_id_new(thread, class_id));
}

uint64_t lge_identity_tag_initialised(struct lge_thread *thread, struct lge_tag *tag, const void *address,
                                      uintptr_t site, uintptr_t sp) {
    uint64_t id = lge_lock_id_new(thread, class_by_initialisation(thread, address, site, sp));
    lgp_lock(&identity.lock);
    lge_tag_write(tag, address, id);
    lgp_unlock(&identity.lock);
    return id;
}

/* ---- table ---- */

/* The map holds ids as pointers: 64 bits are enough for them. */
_Static_assert(sizeof(void *) == sizeof(uint64_t), "the side table keeps ids in pointers");

static uint64_t table_get(const void *address) {
    return (uint64_t)(uintptr_t)lge_map_get(&identity.by_address, (uintptr_t)address);
}

static void count_shared(void) {
    atomic_store_explicit(&identity.shares, (uint32_t)identity.shared.count, memory_order_relaxed);
}

static void table_remove(const void *address, uint64_t id) {
    lge_map_remove(&identity.by_address, (uintptr_t)address, (void *)(uintptr_t)id);
    lge_map_remove(&identity.shared, id, &identity);
    count_shared();
}

static void table_put(const void *address, uint64_t id) {
    uint64_t old = table_get(address);
    if (old != 0)
        table_remove(address, old);
    lge_map_add(&identity.by_address, (uintptr_t)address, (void *)(uintptr_t)id);
    lge_regions_add(&identity.regions, address);
    lge_side_put(address, id, identity.by_address.count);
}

/* Nobody asks who finds the tag beside the lock: who asks lost it to another. */
static uint64_t table_find(const void *address) {
    uint64_t id = table_get(address);
    if (id != 0 && !lge_signal_watches(id))
        lge_side_put(address, id, identity.by_address.count);
    return id;
}

uint64_t lge_identity_table_known(const void *address) {
    uint64_t id = lge_side_id(address);
    if (id != 0)
        return id;
    lgp_lock(&identity.lock);
    id = table_find(address);
    lgp_unlock(&identity.lock);
    return id;
}

static uint64_t table_install(const void *address, uint64_t fresh) {
    lgp_lock(&identity.lock);
    uint64_t id = table_get(address);
    if (id == 0)
        table_put(address, id = fresh);
    lgp_unlock(&identity.lock);
    return id;
}

uint64_t lge_identity_table_first_use(struct lge_thread *thread, const void *address, uintptr_t site,
                                      uintptr_t sp) {
    uint64_t id = lge_identity_table_known(address);
    if (id != 0)
        return id;
    return table_install(address, lge_lock_id_new(thread, class_by_first_use(thread, address, site, sp)));
}

uint64_t lge_identity_table_declared(struct lge_thread *thread, const void *address, uint32_t class_id) {
    uint64_t id = lge_identity_table_known(address);
    return id != 0 ? id : table_install(address, lge_lock_id_new(thread, class_id));
}

uint64_t lge_identity_table_initialised(struct lge_thread *thread, const void *address, uintptr_t site,
                                        uintptr_t sp) {
    uint64_t id = lge_lock_id_new(thread, class_by_initialisation(thread, address, site, sp));
    lgp_lock(&identity.lock);
    table_put(address, id);
    lgp_unlock(&identity.lock);
    return id;
}

uint64_t lge_identity_table_forget(const void *address) {
    lgp_lock(&identity.lock);
    uint64_t id = table_get(address);
    if (id != 0)
        table_remove(address, id);
    lge_side_forget(address);
    lgp_unlock(&identity.lock);
    return id;
}

/* A removal moves later entries up, so the same place is looked at again. */
static void forget_within(const void *start, size_t size) {
    identity.regions = (struct lge_regions){0};
    for (size_t i = 0; i < identity.by_address.capacity;) {
        const struct lge_map_slot *slot = &identity.by_address.slots[i];
        const void *address = (const void *)(uintptr_t)slot->key;
        if (slot->value != NULL && slot->key - (uintptr_t)start < size) {
            table_remove(address, (uint64_t)(uintptr_t)slot->value);
            lge_side_forget(address);
            continue;
        }
        if (slot->value != NULL)
            lge_regions_add(&identity.regions, address);
        i++;
    }
}

void lge_identity_table_unmapped(const void *start, size_t size) {
    lgp_lock(&identity.lock);
    if (identity.by_address.count != 0 && lge_regions_may_have(&identity.regions, start, size))
        forget_within(start, size);
    lgp_unlock(&identity.lock);
}

bool lge_identity_table_knows(const void *address) {
    if (lge_side_id(address) != 0)
        return true;
    lgp_lock(&identity.lock);
    uint64_t id = table_get(address);
    lgp_unlock(&identity.lock);
    return id != 0;
}

void lge_identity_table_share(uint64_t id) {
    lgp_lock(&identity.lock);
    if (lge_map_get(&identity.shared, id) == NULL)
        lge_map_add(&identity.shared, id, &identity);
    count_shared();
    lgp_unlock(&identity.lock);
}

bool lge_identity_table_shared(uint64_t id) {
    if (atomic_load_explicit(&identity.shares, memory_order_relaxed) == 0)
        return false;
    lgp_lock(&identity.lock);
    bool shared = lge_map_get(&identity.shared, id) != NULL;
    lgp_unlock(&identity.lock);
    return shared;
}

bool lge_identity_table_has(const void *address, uint64_t id) {
    lgp_lock(&identity.lock);
    bool has = table_get(address) == id;
    lgp_unlock(&identity.lock);
    return has;
}

/* Which of the 65,536 number ranges a forked child goes on in.  The first process has
 * range 0 and runs into the next ones when it has made 16 million locks: children's are
 * scattered, and those of 65,535 in a row are all different. */
static uint64_t range_of_child(uint32_t pid) {
    enum { RANGES = 0x10000, SCATTER = 0x9e37 /* odd */ };
    uint32_t forks;
    if (!lgp_fork_count_next(&forks))
        forks = (uint32_t)lge_mix(pid, lgp_monotonic_ns());
    return (uint64_t)(forks % (RANGES - 1) + 1) * SCATTER % RANGES;
}

/* A lock in memory that processes share must not carry a number that means another lock
 * to one of them; and that two of them know one number says that it is one lock. */
void lge_identity_after_fork(uint32_t pid) {
    uint64_t start = range_of_child(pid) << 24 | 1;
    atomic_store_explicit(&identity.base, start, memory_order_relaxed);
    atomic_store_explicit(&identity.next, start, memory_order_relaxed);
}

void lge_identity_reset(void) {
    lge_map_clear(&identity.by_address);
    lge_map_clear(&identity.shared);
    count_shared();
    lge_side_reset();
    atomic_store_explicit(&identity.next, 1, memory_order_relaxed);
    atomic_store_explicit(&identity.base, 1, memory_order_relaxed);
}

struct lgp_part lge_identity_part(void) {
    return (struct lgp_part){&identity.lock, (void *)&identity, sizeof identity};
}
