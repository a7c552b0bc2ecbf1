#include "interpose/barrier_order.h"

#include "engine/map.h"
#include "engine/thread.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

struct barrier {
    unsigned count;
    unsigned inside; /* threads that came and have not left, of any round */
    bool mixed;      /* there were more of them than a round has */
    bool gone;       /* destroyed: freed by the last one to leave */
    struct lgi_round *gathering;
};
struct lgi_round {
    struct barrier *barrier;
    struct lge_sync *sync; /* NULL: nobody who came had anything to order */
    unsigned arrived, left;
    /* Not 0: nobody waits any more who came; or nobody can tell.  Release under
     * the lock; acquire in engine/wait_for.c. */
    _Atomic uint32_t all_here;
};

/* Lock order: this one before any of the engine's. */
static struct lgp_lock lock;
static struct lge_map barriers; /* by address */

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

static void add(const void *address, unsigned count) {
    struct barrier *barrier = lgp_alloc(sizeof *barrier);
    if (barrier == NULL)
        return;
    barrier->count = count;
    if (!lge_map_add(&barriers, (uintptr_t)address, barrier))
        lgp_free(barrier, sizeof *barrier);
}

/* libc lets a barrier be destroyed while the last ones are on their way out. */
static void remove_known(const void *address) {
    struct barrier *barrier = find(address);
    if (barrier == NULL)
        return;
    lge_map_remove(&barriers, (uintptr_t)address, barrier);
    barrier->gone = true;
    free_if_gone(barrier);
}

void lgi_barrier_initialised(const void *address, unsigned count) {
    lgp_lock(&lock);
    remove_known(address);
    add(address, count);
    lgp_unlock(&lock);
}

void lgi_barrier_destroyed(const void *address) {
    lgp_lock(&lock);
    remove_known(address);
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

static struct lgi_round *arrive(struct lge_thread *thread, struct barrier *barrier) {
    struct lgi_round *round = gathering(barrier);
    if (round == NULL) {
        barrier->mixed = true; /* out of memory: we lost count */
        return NULL;
    }
    if (++barrier->inside > barrier->count)
        barrier->mixed = true;
    if (!barrier->mixed)
        give(thread, round);
    bool complete = ++round->arrived == barrier->count;
    if (complete)
        barrier->gathering = NULL;
    if (complete || barrier->mixed)
        close_round(round);
    return round;
}

struct lgi_round *lgi_barrier_arrive(struct lge_thread *thread, const void *address) {
    lgp_lock(&lock);
    struct barrier *barrier = find(address);
    struct lgi_round *round = barrier == NULL ? NULL : arrive(thread, barrier);
    lgp_unlock(&lock);
    return round;
}

const _Atomic uint32_t *lgi_barrier_all_here(const struct lgi_round *round) { return &round->all_here; }

void lgi_barrier_leave(struct lge_thread *thread, struct lgi_round *round) {
    lgp_lock(&lock);
    struct barrier *barrier = round->barrier;
    if (!barrier->mixed && round->sync != NULL)
        lge_sync_acquire(thread, round->sync, LGR_REASON_BARRIER);
    if (++round->left == barrier->count)
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
        if (barrier != NULL)
            add((const void *)(uintptr_t)old.slots[i].key, barrier->count);
    }
}
