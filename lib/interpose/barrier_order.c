#include "interpose/barrier_order.h"

#include "engine/context.h"
#include "engine/map.h"
#include "engine/regions.h"
#include "engine/thread.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

struct barrier {
    unsigned count;
    unsigned inside; /* threads that came and have not left, of any round */
    bool mixed;      /* there were more of them than a round has, or others than we see */
    bool shared;     /* other processes may come: whether one waits is not known */
    bool gone;       /* destroyed: freed by the last one to leave */
    struct lgi_round *gathering;
    struct lgi_barrier_call destroyed; /* then that is all it has */
};
struct lgi_round {
    struct barrier *barrier;
    struct lge_sync *sync;         /* NULL: nobody who came had anything to order */
    struct lgi_barrier_call first; /* who came first */
    unsigned arrived, left;
    /* Not 0: nobody waits any more who came; or nobody can tell.  Release under
     * the lock; acquire in engine/wait_for.c. */
    _Atomic uint32_t all_here;
};

/* Lock order: this one before any of the engine's. */
static struct lgp_lock lock;
static struct lge_map barriers;    /* by address */
static struct lge_regions regions; /* of these addresses; of others they had, too */
/* Addresses of those destroyed lately, which are remembered. */
enum { REMEMBERED = 256 };
static uint64_t destroyed[REMEMBERED];
static size_t next_destroyed;

static struct barrier *find(const void *address) { return lge_map_get(&barriers, (uintptr_t)address); }

static void free_round(struct lgi_round *round) {
    if (round->sync != NULL)
        lge_sync_free(round->sync);
    lgp_free(round, sizeof *round);
}

static void free_if_gone(struct barrier *barrier) {
    if (barrier->gone && barrier->inside == 0)
        lgp_free(barrier, sizeof *barrier);
}

static void add(const void *address, struct barrier barrier) {
    struct barrier *made = lgp_alloc(sizeof *made);
    if (made == NULL)
        return;
    *made = barrier;
    lge_regions_add(&regions, address);
    if (!lge_map_add(&barriers, (uintptr_t)address, made))
        lgp_free(made, sizeof *made);
}
static bool is_destroyed(const struct barrier *barrier) { return barrier->destroyed.thread != 0; }

/* libc lets a barrier be destroyed while the last ones are on their way out. */
static void remove_known(const void *address) {
    struct barrier *barrier = find(address);
    if (barrier == NULL)
        return;
    lge_map_remove(&barriers, (uintptr_t)address, barrier);
    barrier->gone = true;
    free_if_gone(barrier);
}

/* Whoever waits there, or destroyed it before. */
static struct lgi_barrier_call last_call(const void *address) {
    const struct barrier *barrier = find(address);
    if (barrier == NULL || barrier->shared)
        return (struct lgi_barrier_call){0};
    return barrier->gathering != NULL && !barrier->mixed ? barrier->gathering->first : barrier->destroyed;
}

static void remember(const void *address, struct lgi_barrier_call call) {
    uint64_t *place = &destroyed[next_destroyed++ % REMEMBERED];
    struct barrier *oldest = lge_map_get(&barriers, *place);
    if (oldest != NULL && is_destroyed(oldest))
        remove_known((const void *)(uintptr_t)*place);
    *place = (uintptr_t)address;
    add(address, (struct barrier){.destroyed = call});
}

struct lgi_barrier_call lgi_barrier_initialised(const void *address, unsigned count, bool shared) {
    lgp_lock(&lock);
    const struct barrier *known = find(address);
    struct lgi_barrier_call last = last_call(address);
    if (known != NULL && is_destroyed(known))
        last.thread = 0;
    remove_known(address);
    add(address, (struct barrier){.count = count, .shared = shared});
    lgp_unlock(&lock);
    return last;
}

struct lgi_barrier_call lgi_barrier_destroyed(const void *address, struct lgi_barrier_call call) {
    lgp_lock(&lock);
    struct lgi_barrier_call last = last_call(address);
    const struct barrier *barrier = find(address);
    bool shared = barrier != NULL && barrier->shared; /* made anew by another process, perhaps */
    remove_known(address);
    if (barrier != NULL && !shared)
        remember(address, call);
    lgp_unlock(&lock);
    return last;
}

/* A removal moves later entries up, so the same place is looked at again. */
static void forget_within(const void *start, size_t size) {
    regions = (struct lge_regions){0};
    for (size_t i = 0; i < barriers.capacity;) {
        const struct lge_map_slot *slot = &barriers.slots[i];
        const void *address = (const void *)(uintptr_t)slot->key;
        if (slot->value != NULL && slot->key - (uintptr_t)start < size) {
            remove_known(address);
            continue;
        }
        if (slot->value != NULL)
            lge_regions_add(&regions, address);
        i++;
    }
}

void lgi_barriers_unmapped(const void *start, size_t size) {
    lgp_lock(&lock);
    if (lge_regions_may_have(&regions, start, size))
        forget_within(start, size);
    lgp_unlock(&lock);
}

/* ---- rounds ---- */

static struct lgi_round *gathering(struct barrier *barrier) {
    if (barrier->gathering == NULL) {
        barrier->gathering = lgp_alloc(sizeof *barrier->gathering);
        if (barrier->gathering != NULL)
            barrier->gathering->barrier = barrier;
    }
    return barrier->gathering;
}

static void give(struct lge_thread *thread, struct lgi_round *round) {
    if (!lge_thread_has_past(thread))
        return;
    if (round->sync == NULL)
        round->sync = lge_sync_new();
    if (round->sync != NULL)
        lge_sync_release(thread, round->sync);
}

/* Before the last one goes on to libc: nobody leaves a round that looks open. */
static void close_round(struct lgi_round *round) {
    atomic_store_explicit(&round->all_here, 1, memory_order_release);
}

static struct lgi_round *arrive(struct lge_thread *thread, struct barrier *barrier, uintptr_t site,
                                uintptr_t sp) {
    struct lgi_round *round = gathering(barrier);
    if (round == NULL) {
        barrier->mixed = true; /* out of memory: we lost count */
        return NULL;
    }
    if (++barrier->inside > barrier->count)
        barrier->mixed = true;
    if (round->arrived == 0 && barrier->count != 1)
        round->first =
            (struct lgi_barrier_call){lge_context_capture(thread, site, sp), lge_thread_serial(thread), true};
    if (!barrier->mixed)
        give(thread, round);
    bool complete = ++round->arrived == barrier->count;
    if (complete)
        barrier->gathering = NULL;
    if (complete || barrier->mixed || barrier->shared)
        close_round(round);
    return round;
}

struct lgi_round *lgi_barrier_arrive(struct lge_thread *thread, const void *address, uintptr_t site,
                                     uintptr_t sp, struct lgi_barrier_call *where) {
    lgp_lock(&lock);
    struct barrier *barrier = find(address);
    if (barrier != NULL && is_destroyed(barrier)) {
        *where = barrier->destroyed;
        barrier = NULL;
    }
    if (barrier != NULL && barrier->shared && barrier->mixed) /* for good */
        barrier = NULL;
    struct lgi_round *round = barrier == NULL ? NULL : arrive(thread, barrier, site, sp);
    lgp_unlock(&lock);
    return round;
}

const _Atomic uint32_t *lgi_barrier_all_here(const struct lgi_round *round) { return &round->all_here; }

/* The round was over without those whom it lacks here. */
static void others_came(struct barrier *barrier, const struct lgi_round *round) {
    barrier->mixed = true;
    if (barrier->gathering == round)
        barrier->gathering = NULL;
}

void lgi_barrier_leave(struct lge_thread *thread, struct lgi_round *round) {
    lgp_lock(&lock);
    struct barrier *barrier = round->barrier;
    if (barrier->shared && round->arrived < barrier->count)
        others_came(barrier, round);
    if (!barrier->mixed && round->sync != NULL)
        lge_sync_acquire(thread, round->sync, LGR_REASON_BARRIER);
    if (++round->left == round->arrived && barrier->gathering != round)
        free_round(round);
    barrier->inside--;
    free_if_gone(barrier);
    lgp_unlock(&lock);
}

/* ---- fork ---- */

/* Into new memory, because the old one may have been lost with all that other
 * threads were changing. */
void lgi_barriers_after_fork(void) {
    struct lge_map old = barriers;
    bool whole = atomic_load_explicit(&lock.state, memory_order_relaxed) == 0;
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
    barriers = (struct lge_map){0};
    for (size_t i = 0; whole && i < old.capacity; i++) {
        const struct barrier *barrier = old.slots[i].value;
        if (barrier != NULL && !is_destroyed(barrier))
            add((const void *)(uintptr_t)old.slots[i].key,
                (struct barrier){.count = barrier->count,
                                 .shared = barrier->shared,
                                 .mixed = barrier->shared && barrier->mixed});
    }
}
