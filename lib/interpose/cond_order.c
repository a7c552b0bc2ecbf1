#include "interpose/cond_order.h"

#include "engine/context.h"
#include "engine/file_lock.h"
#include "engine/known.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

enum { HOLDS = 4, MOST_KEPT = 4096 };

/* Locks held at a wait or a signal, each with who did that. */
struct holds {
    uint32_t count;
    struct {
        struct lge_held held;
        struct lgi_condition_use use;
    } of[HOLDS];
};

struct condition {
    struct lge_sync *sync; /* NULL while nobody waits */
    uint32_t waiters;
    /* At most so many of them are not blocked any more.  Changed under the lock,
     * release; read by who looks for a stall, acquire. */
    _Atomic uint32_t signalled;
    uint64_t arrived; /* the number of the newest wait */
    bool waited;      /* somebody ever did */
    struct lgi_condition_use last;
    struct holds *waiting, *signalling; /* NULL: none */
};

/* Lock order: this one before any of the engine's. */
static struct lgp_lock lock;
static struct lge_map conditions;     /* by address */
static uint32_t kept;                 /* of those, with holds */
static uint64_t waits = LGI_NO_WAITS; /* begun, of any condition */

struct lgi_condition_bucket lgi_condition_buckets[LGI_CONDITION_BUCKETS];

static void watch(const void *condition, int change) {
    _Atomic uint32_t *count = &lgi_condition_bucket(condition)->watch;
    uint32_t now = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, now + (uint32_t)change, memory_order_relaxed);
}

/* ---- the table ---- */

static struct condition *find(const void *address) { return lge_map_get(&conditions, (uintptr_t)address); }

static struct condition *obtain(const void *address) {
    struct condition *known = find(address);
    if (known != NULL)
        return known;
    known = lgp_alloc(sizeof *known);
    if (known != NULL && !lge_map_add(&conditions, (uintptr_t)address, known)) {
        lgp_free(known, sizeof *known);
        return NULL;
    }
    return known;
}

static bool keeps(const struct condition *known) {
    return known->waiting != NULL || known->signalling != NULL;
}

static void drop_if_unused(const void *address, struct condition *known) {
    if (known->waiters != 0 || keeps(known))
        return;
    lge_map_remove(&conditions, (uintptr_t)address, known);
    lgp_free(known, sizeof *known);
}

static void drop_holds(const void *address, struct condition *known) {
    if (!keeps(known))
        return;
    lgp_free(known->waiting, sizeof *known->waiting);
    lgp_free(known->signalling, sizeof *known->signalling);
    known->waiting = known->signalling = NULL;
    kept--;
    watch(address, -1);
}

/* glibc counts all waits that were ever begun, in the first word.  A condition of a stack,
 * or of C++, may end without a word: one that nobody waited for yet is not the one that
 * was waited for at its address before. */
static void forget_former(const void *address, struct condition *known) {
    const uint64_t *waits_begun = address;
    bool waited = __atomic_load_n(waits_begun, __ATOMIC_RELAXED) != 0;
    if (known->waited && !waited && known->waiters == 0) {
        drop_holds(address, known);
        known->waited = false;
    }
    known->waited |= waited;
}

/* ---- what they hold ---- */

/* Those that ended without a word would fill the table for good. */
static void forget_all_holds(void) {
    for (size_t i = 0; i < conditions.capacity;) {
        struct condition *known = conditions.slots[i].value;
        if (known == NULL || !keeps(known)) {
            i++;
            continue;
        }
        const void *address = (const void *)(uintptr_t)conditions.slots[i].key;
        drop_holds(address, known);
        drop_if_unused(address, known); /* another one may be in its slot now */
    }
}

static bool room_for(const void *address, const struct condition *known, struct holds **holds) {
    if (*holds != NULL)
        return true;
    bool first = !keeps(known);
    if (first && kept == MOST_KEPT)
        forget_all_holds();
    *holds = lgp_alloc(sizeof **holds);
    if (*holds != NULL && first) {
        kept++;
        watch(address, 1);
    }
    return *holds != NULL;
}

static void remember(struct holds *holds, const struct lge_held *held, const struct lgi_condition_use *use) {
    for (uint32_t i = 0; i < holds->count; i++)
        if (holds->of[i].held.id == held->id && holds->of[i].use.serial == use->serial)
            return;
    if (holds->count == HOLDS)
        return;
    holds->of[holds->count].held = *held;
    holds->of[holds->count++].use = *use;
}

/* Two threads take that lock, and not both shared. */
static void compare(const struct holds *others, const struct lge_held *held, uint32_t serial,
                    struct lgi_condition_conflict *conflict) {
    for (uint32_t i = 0; others != NULL && i < others->count && !conflict->found; i++) {
        const struct lge_held *theirs = &others->of[i].held;
        if (theirs->id != held->id || others->of[i].use.serial == serial ||
            (theirs->mode == LGR_SHARED && held->mode == LGR_SHARED) || lge_file_lock_shared(held->id))
            continue;
        *conflict = (struct lgi_condition_conflict){.found = true, .other = others->of[i].use, .held = *held};
    }
}

/* The newest entry of what the thread holds or, when it holds nothing, of what
 * it gave up last: entries above the top stay as they were, and their keys tell
 * which belong together.  A signal often comes right after the unlock. */
static const struct lge_held *last_of_way(const struct lge_thread *thread) {
    const struct lge_held *at = thread->top;
    if (at != thread->base)
        return at;
    while (at < thread->last && at - thread->base < HOLDS) {
        const struct lge_held *next = at + 1;
        uint64_t below = at == thread->base ? LGE_NO_HOLDS : at->key;
        if (next->address == NULL ||
            next->key != lge_chain_key(below, next->id, next->mode, lge_place(next->site, next->context)))
            break;
        at = next;
    }
    return at;
}

/* ---- waiting ---- */

static uint32_t signalled(const struct condition *known) {
    return atomic_load_explicit(&known->signalled, memory_order_relaxed);
}

static void set_signalled(struct condition *known, uint32_t count) {
    atomic_store_explicit(&known->signalled, count, memory_order_release);
}

static void count_signal(struct condition *known, bool all) {
    if (all)
        set_signalled(known, known->waiters);
    else if (signalled(known) < known->waiters)
        set_signalled(known, signalled(known) + 1);
}

static bool blocked(const struct condition *known) { return known->waiters > signalled(known); }

static void enter_waiter(struct condition *known, const struct lgi_condition_use *use,
                         struct lgi_condition_conflict *conflict) {
    if (use->mutex != NULL && blocked(known) && known->last.mutex != NULL &&
        known->last.mutex != use->mutex && known->last.serial != use->serial)
        *conflict = (struct lgi_condition_conflict){.found = true, .other = known->last};
    known->waiters++;
    known->waited = true;
    known->arrived = ++waits;
    known->last = *use;
}

const _Atomic uint32_t *lgi_condition_wait_begin(const void *condition, const struct lgi_condition_use *use,
                                                 struct lgi_condition_conflict *conflict) {
    conflict->found = false;
    lgp_lock(&lock);
    struct condition *known = obtain(condition);
    if (known != NULL) {
        forget_former(condition, known);
        if (known->sync == NULL)
            known->sync = lge_sync_new();
        watch(condition, 1);
        enter_waiter(known, use, conflict);
    }
    lgp_unlock(&lock);
    return known == NULL ? NULL : &known->signalled;
}

static void leave_waiter(struct lge_thread *thread, struct condition *known, bool woken) {
    if (woken && known->sync != NULL)
        lge_sync_acquire(thread, known->sync, LGR_REASON_CONDITION);
    if (woken && signalled(known) != 0)
        set_signalled(known, signalled(known) - 1);
    known->waiters--;
    if (signalled(known) > known->waiters)
        set_signalled(known, known->waiters);
    if (known->last.serial == lge_thread_serial(thread))
        known->last.serial = 0; /* others of that mutex may be there still */
    if (known->waiters != 0 || known->sync == NULL)
        return;
    lge_sync_free(known->sync);
    known->sync = NULL;
}

void lgi_condition_wait_end(struct lge_thread *thread, const void *condition, bool woken) {
    lgp_lock(&lock);
    struct condition *known = find(condition);
    if (known != NULL && known->waiters != 0) {
        leave_waiter(thread, known, woken);
        watch(condition, -1);
        drop_if_unused(condition, known);
    }
    lgp_unlock(&lock);
}

void lgi_condition_waits_holding(const struct lge_thread *thread, const void *condition,
                                 const struct lgi_condition_use *use,
                                 struct lgi_condition_conflict *conflict) {
    conflict->found = false;
    lgp_lock(&lock);
    struct condition *known = find(condition);
    if (known != NULL && room_for(condition, known, &known->waiting))
        for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++) {
            remember(known->waiting, held, use);
            compare(known->signalling, held, use->serial, conflict);
        }
    lgp_unlock(&lock);
}

/* ---- signalling ---- */

/* Under one lock only, that is the condition's own mutex as a rule: remembered
 * is what is taken above it. */
static void look_at_way(struct lge_thread *thread, const void *condition, struct condition *known,
                        uintptr_t site, uintptr_t sp, struct lgi_condition_conflict *conflict) {
    const struct lge_held *last = last_of_way(thread);
    struct lgi_condition_use use = {.serial = lge_thread_serial(thread)};
    for (const struct lge_held *held = thread->base + 1; held <= last; held++)
        compare(known->waiting, held, use.serial, conflict);
    uint64_t key = lge_mix(last->key ^ (uintptr_t)condition, site);
    if (last - thread->base < 2 || lge_recent(thread, key))
        return;
    lge_recent_insert(thread, key);
    use.context = lge_context_capture(thread, site, sp);
    for (const struct lge_held *held = thread->base + 1; held <= last; held++)
        if (room_for(condition, known, &known->signalling))
            remember(known->signalling, held, &use);
}

void lgi_condition_note_signal(const struct lge_thread *thread, const void *condition, uintptr_t site) {
    struct lgi_condition_bucket *bucket = lgi_condition_bucket(condition);
    uint32_t serial = lge_thread_serial(thread);
    if (atomic_load_explicit(&bucket->condition, memory_order_relaxed) == (uintptr_t)condition &&
        atomic_load_explicit(&bucket->thread, memory_order_relaxed) == serial &&
        atomic_load_explicit(&bucket->site, memory_order_relaxed) == site)
        return;
    atomic_store_explicit(&bucket->condition, 0, memory_order_relaxed);
    atomic_store_explicit(&bucket->thread, serial, memory_order_relaxed);
    atomic_store_explicit(&bucket->site, site, memory_order_relaxed);
    atomic_store_explicit(&bucket->condition, (uintptr_t)condition, memory_order_relaxed);
}

bool lgi_condition_last_signal(const void *condition, uint32_t *thread, uintptr_t *site) {
    const struct lgi_condition_bucket *bucket = lgi_condition_bucket(condition);
    *thread = atomic_load_explicit(&bucket->thread, memory_order_relaxed);
    *site = atomic_load_explicit(&bucket->site, memory_order_relaxed);
    return atomic_load_explicit(&bucket->condition, memory_order_relaxed) == (uintptr_t)condition;
}

/* Nobody begins to wait while its mutex is held. */
static bool holds_waiters_mutex(const struct lge_thread *thread, const struct condition *known) {
    return known->last.mutex != NULL && lge_holds(thread, known->last.mutex);
}

void lgi_condition_signal(struct lge_thread *thread, const void *condition, bool all, uintptr_t site,
                          uintptr_t sp, struct lgi_condition_conflict *conflict, uint64_t *newest) {
    conflict->found = false;
    *newest = LGI_NO_WAITS;
    lgp_lock(&lock);
    struct condition *known = lge_depth(thread) > 1 ? obtain(condition) : find(condition);
    if (known != NULL) {
        forget_former(condition, known);
        if (known->sync != NULL && lge_thread_has_past(thread))
            lge_sync_release(thread, known->sync);
        count_signal(known, all);
        if (known->waiters != 0)
            *newest = holds_waiters_mutex(thread, known) ? LGI_ALL_COUNTED : known->arrived;
        look_at_way(thread, condition, known, site, sp, conflict);
        drop_if_unused(condition, known);
    }
    lgp_unlock(&lock);
}

void lgi_condition_signal_after(const void *condition, bool all, uint64_t newest) {
    lgp_lock(&lock);
    struct condition *known = find(condition);
    if (known != NULL && known->arrived != newest)
        count_signal(known, all);
    lgp_unlock(&lock);
}

/* ---- life ---- */

void lgi_condition_destroy(const void *condition, struct lgi_condition_conflict *conflict) {
    conflict->found = false;
    lgp_lock(&lock);
    struct condition *known = find(condition);
    if (known != NULL) {
        if (blocked(known))
            *conflict = (struct lgi_condition_conflict){.found = true, .other = known->last};
        drop_holds(condition, known);
        drop_if_unused(condition, known);
    }
    lgp_unlock(&lock);
}

void lgi_condition_init(const void *condition) {
    lgp_lock(&lock);
    struct condition *known = find(condition);
    if (known != NULL) {
        drop_holds(condition, known);
        for (; known->waiters != 0; known->waiters--)
            watch(condition, -1);
        if (known->sync != NULL)
            lge_sync_free(known->sync);
        lge_map_remove(&conditions, (uintptr_t)condition, known);
        lgp_free(known, sizeof *known);
    }
    lgp_unlock(&lock);
}

/* Their memory is not given back: another thread may have been changing it. */
void lgi_condition_forget(void) {
    conditions = (struct lge_map){0};
    kept = 0;
    for (size_t i = 0; i < LGI_CONDITION_BUCKETS; i++)
        atomic_store_explicit(&lgi_condition_buckets[i].watch, 0, memory_order_relaxed);
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}
