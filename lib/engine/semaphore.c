#include "engine/semaphore.h"

#include "engine/finding.h"
#include "engine/level.h"
#include "engine/lifecycle.h"
#include "engine/map.h"
#include "engine/thread.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

enum { FIRST_SWEEP = 4096, GRAVES = 64 };

struct semaphore {
    uint64_t id;
    const void *address;
    uint32_t slots;
    uint32_t proof; /* posts by holders, as many as count */
    bool shared, signal;
    struct lge_sync *sync; /* a signal's, once something flowed */
};

static struct {
    struct lgp_lock lock;
    struct lge_map by_id;
    size_t next_sweep;
    uint32_t next_grave;
    struct {
        uint64_t id;
        uint32_t context, serial;
    } graves[GRAVES];
    bool (*alive)(const void *address, uint64_t id, uint8_t kind, uint8_t attributes);
} semaphores = {.next_sweep = FIRST_SWEEP};

static _Atomic uint32_t turned; /* semaphores that were locks once, or are gone; relaxed: spares look-ups */
static _Atomic uint32_t unseen; /* posts that could not be noted; relaxed */

void lge_semaphore_unseen_post(void) { atomic_fetch_add_explicit(&unseen, 1, memory_order_relaxed); }

void lge_semaphores_start(const struct lge_config *config) {
    semaphores.alive = config->lock_alive;
    semaphores.next_sweep = FIRST_SWEEP;
}

/* ---- records: under the lock ---- */

static struct semaphore *find(uint64_t id) { return lge_map_get(&semaphores.by_id, id); }

static void drop(struct semaphore *semaphore) {
    if (!semaphore->signal)
        atomic_fetch_add_explicit(&turned, 1, memory_order_relaxed);
    lge_map_remove(&semaphores.by_id, semaphore->id, semaphore);
    if (semaphore->sync != NULL)
        lge_sync_free(semaphore->sync);
    lgp_free(semaphore, sizeof *semaphore);
}

static bool gone(const struct semaphore *semaphore) {
    uint8_t attributes = semaphore->shared ? LGR_LOCK_PSHARED : 0;
    return !semaphores.alive(semaphore->address, semaphore->id, LGR_LOCK_SEMAPHORE, attributes);
}

/* Many programs never destroy a semaphore that lives on a stack.  A removal
 * moves later entries up, so the same place is looked at again. */
static void sweep(void) {
    for (size_t i = 0; semaphores.alive != NULL && i < semaphores.by_id.capacity;) {
        struct semaphore *semaphore = semaphores.by_id.slots[i].value;
        if (semaphore != NULL && gone(semaphore))
            drop(semaphore);
        else
            i++;
    }
    size_t left = semaphores.by_id.count;
    semaphores.next_sweep = left * 2 > FIRST_SWEEP ? left * 2 : FIRST_SWEEP;
}

static struct semaphore *add(uint64_t id, const void *address) {
    if (semaphores.by_id.count >= semaphores.next_sweep)
        sweep();
    struct semaphore *made = lgp_alloc(sizeof *made);
    if (made == NULL)
        return NULL;
    made->id = id;
    made->address = address;
    made->signal = true;
    if (lge_map_add(&semaphores.by_id, id, made))
        return made;
    lgp_free(made, sizeof *made);
    return NULL;
}

static bool proven(const struct semaphore *semaphore) { return semaphore->proof >= LGE_SEMAPHORE_PROOF; }

static unsigned facts_of(const struct semaphore *semaphore) {
    if (semaphore == NULL)
        return LGE_SEMAPHORE_SIGNAL;
    unsigned facts = 0;
    if (semaphore->slots > 1)
        facts |= LGE_SEMAPHORE_SEVERAL;
    if (semaphore->signal)
        facts |= LGE_SEMAPHORE_SIGNAL;
    if (proven(semaphore))
        facts |= LGE_SEMAPHORE_PROVEN;
    if (semaphore->sync != NULL)
        facts |= LGE_SEMAPHORE_ORDERS;
    return facts;
}

/* True when it was a lock so far: its findings are to be lowered. */
static bool become_signal(struct semaphore *semaphore) {
    if (semaphore->signal)
        return false;
    semaphore->signal = true;
    atomic_fetch_add_explicit(&turned, 1, memory_order_relaxed);
    return true;
}

/* ---- life ---- */

/* One that starts as a signal needs no record before something flows. */
unsigned lge_semaphore_created(uint64_t id, const void *address, uint32_t slots, bool shared) {
    if (slots == 0)
        return LGE_SEMAPHORE_SIGNAL;
    lgp_lock(&semaphores.lock);
    struct semaphore *made = add(id, address);
    if (made != NULL) {
        made->slots = slots;
        made->shared = shared;
        made->signal = false;
    }
    unsigned facts = facts_of(made);
    lgp_unlock(&semaphores.lock);
    return facts;
}

void lge_semaphore_destroyed(uint64_t id) {
    lgp_lock(&semaphores.lock);
    struct semaphore *known = find(id);
    if (known != NULL)
        drop(known);
    lgp_unlock(&semaphores.lock);
}

void lge_semaphore_bury(uint64_t id, uint32_t context, uint32_t serial) {
    lgp_lock(&semaphores.lock);
    uint32_t at = semaphores.next_grave++ % GRAVES;
    semaphores.graves[at].id = id;
    semaphores.graves[at].context = context;
    semaphores.graves[at].serial = serial;
    lgp_unlock(&semaphores.lock);
}

bool lge_semaphore_grave(uint64_t id, uint32_t *context, uint32_t *serial) {
    bool found = false;
    lgp_lock(&semaphores.lock);
    for (uint32_t i = 0; i < GRAVES && !found; i++) {
        if (semaphores.graves[i].id != id)
            continue;
        *context = semaphores.graves[i].context;
        *serial = semaphores.graves[i].serial;
        found = true;
    }
    lgp_unlock(&semaphores.lock);
    return found;
}

/* ---- questions ---- */

unsigned lge_semaphore_facts_of(uint64_t id) {
    lgp_lock(&semaphores.lock);
    unsigned facts = facts_of(find(id));
    lgp_unlock(&semaphores.lock);
    return facts;
}

bool lge_semaphore_known(uint64_t id) {
    lgp_lock(&semaphores.lock);
    bool known = find(id) != NULL;
    lgp_unlock(&semaphores.lock);
    return known;
}

uint32_t lge_semaphore_slots(uint64_t id) {
    lgp_lock(&semaphores.lock);
    const struct semaphore *known = find(id);
    uint32_t slots = known == NULL || known->signal ? 0 : known->slots;
    lgp_unlock(&semaphores.lock);
    return slots;
}

bool lge_semaphore_signals(uint64_t id) {
    if (atomic_load_explicit(&turned, memory_order_relaxed) == 0)
        return false;
    lgp_lock(&semaphores.lock);
    const struct semaphore *known = find(id);
    bool signals = known != NULL && known->signal;
    lgp_unlock(&semaphores.lock);
    return signals;
}

uint32_t lge_semaphore_exhaustible(uint64_t id, enum lge_semaphore_trust *trust) {
    bool declared = lge_lock_declared(id);
    lgp_lock(&semaphores.lock);
    const struct semaphore *known = find(id);
    bool usable = known != NULL && !known->signal && !known->shared;
    uint32_t slots = usable ? known->slots : 0;
    *trust = declared ? LGE_DECLARED_LOCK : usable && proven(known) ? LGE_PROVEN_LOCK : LGE_PERHAPS_LOCK;
    lgp_unlock(&semaphores.lock);
    return atomic_load_explicit(&unseen, memory_order_relaxed) != 0 ? 0 : slots;
}

/* ---- events ---- */

/* A thread that has a slot may ask for another one. */
void lge_semaphore_request(struct lge_request *request, unsigned facts) {
    bool several = (facts & LGE_SEMAPHORE_SEVERAL) != 0;
    request->kind = LGR_LOCK_SEMAPHORE;
    request->mode = several ? LGR_SHARED : LGR_EXCLUSIVE;
    if (several)
        request->flags |= LGE_RECURSIVE;
}

static uint32_t held_slots(const struct lge_thread *thread, uint64_t id) {
    uint32_t count = 0;
    for (const struct lge_held *held = thread->top; held > thread->base; held--)
        count += held->address != NULL && held->id == id;
    return count;
}

/* More than there are: posts came from where we do not look. */
static bool too_many(const struct semaphore *semaphore, const struct lge_thread *thread) {
    uint32_t most = semaphore->shared ? 1 : semaphore->slots;
    return held_slots(thread, semaphore->id) >= most;
}

void lge_semaphore_acquired(struct lge_thread *thread, const struct lge_request *request) {
    lgp_lock(&semaphores.lock);
    struct semaphore *known = find(request->id);
    bool turns = known != NULL && !known->signal && too_many(known, thread) && become_signal(known);
    bool lock = known != NULL && !known->signal;
    if (known != NULL && known->sync != NULL)
        lge_sync_acquire(thread, known->sync, LGR_REASON_SEMAPHORE);
    lgp_unlock(&semaphores.lock);
    if (lock)
        lge_acquired(thread, request);
    if (turns)
        lge_findings_lower(request->id);
}

/* We are in a handler that came while a hold was being written down. */
static bool interrupted(const struct lge_thread *thread) {
    return thread->top != thread->base && thread->top->address == NULL;
}

/* Our holds change although our wait is published: we are in a handler, and
 * whoever reads them must read again. */
static void touch_wait(struct lge_thread *thread) {
    uint32_t sequence = atomic_load_explicit(&thread->wait.sequence, memory_order_relaxed);
    if (sequence & 1)
        atomic_fetch_add_explicit(&thread->wait.sequence, 2, memory_order_release);
}

static void flow(struct lge_thread *thread, struct semaphore *semaphore) {
    if (!lge_thread_has_past(thread))
        return;
    if (semaphore->sync == NULL)
        semaphore->sync = lge_sync_new();
    if (semaphore->sync != NULL)
        lge_sync_release(thread, semaphore->sync);
}

unsigned lge_semaphore_posting(struct lge_thread *thread, uint64_t id, const void *address) {
    bool held = !interrupted(thread) && lge_released(thread, address);
    bool turns = false;
    touch_wait(thread);
    lgp_lock(&semaphores.lock);
    struct semaphore *known = find(id);
    if (known == NULL && lge_thread_has_past(thread))
        known = add(id, address);
    if (known != NULL && held && !known->signal)
        known->proof += !proven(known);
    else if (known != NULL)
        turns = become_signal(known);
    if (known != NULL && known->signal)
        flow(thread, known);
    unsigned facts = facts_of(known);
    lgp_unlock(&semaphores.lock);
    if (turns)
        lge_findings_lower(id);
    return facts;
}

void lge_semaphore_drop_stale(struct lge_thread *thread) {
    if (atomic_load_explicit(&turned, memory_order_relaxed) == 0 || interrupted(thread))
        return;
    for (const struct lge_held *held = thread->top; held > thread->base;) {
        bool stale = held->kind == LGR_LOCK_SEMAPHORE && lge_semaphore_slots(held->id) == 0;
        const void *address = held->address;
        held--;
        if (stale)
            lge_released(thread, address);
    }
}

void lge_semaphores_reset(void) {
    for (size_t i = 0; i < semaphores.by_id.capacity; i++) {
        struct semaphore *semaphore = semaphores.by_id.slots[i].value;
        if (semaphore == NULL)
            continue;
        if (semaphore->sync != NULL)
            lge_sync_free(semaphore->sync);
        lgp_free(semaphore, sizeof *semaphore);
    }
    lge_map_clear(&semaphores.by_id);
    semaphores.next_sweep = FIRST_SWEEP;
    semaphores.next_grave = 0;
    for (size_t i = 0; i < GRAVES; i++)
        semaphores.graves[i].id = 0;
    atomic_store_explicit(&turned, 0, memory_order_relaxed);
    atomic_store_explicit(&unseen, 0, memory_order_relaxed);
}

struct lgp_part lge_semaphores_part(void) {
    return (struct lgp_part){&semaphores.lock, (void *)&semaphores, sizeof semaphores};
}
