#include "engine/overdue.h"

#include <string.h>

#include "engine/context.h"
#include "engine/evidence.h"
#include "engine/misuse.h"
#include "engine/overlong.h"
#include "engine/semaphore.h"
#include "engine/wait_for.h"
#include "platform/system.h"

static const uint64_t millisecond = 1000000;

static uint64_t limit_ns;
static void (*on_overdue)(const struct lge_overdue *overdue);

void lge_overdue_start(const struct lge_config *config) {
    limit_ns = config->wait_limit_ns;
    on_overdue = config->on_overdue;
}

/* ---- when ---- */

void lge_overdue_never(struct lge_thread *thread) {
    thread->wait_due = UINT64_MAX;
    lge_overlong_never(thread);
}

void lge_overdue_begin(struct lge_thread *thread) {
    thread->wait_begun = lgp_monotonic_ns();
    thread->wait_due = limit_ns == 0 ? UINT64_MAX : thread->wait_begun + limit_ns;
    thread->wait_told = false;
    lge_overlong_begin(thread);
}

uint64_t lge_wait_left(const struct lge_thread *thread, uint64_t now) {
    uint64_t hold = lge_overlong_due(thread), due = thread->wait_due;
    if (hold > now && hold < due) /* one that is not known yet, or was told, cuts nothing */
        due = hold;
    if (due != UINT64_MAX && due <= now)
        return 0;
    uint64_t left = due == UINT64_MAX ? due : due - now;
    return lge_heartbeats_expected() && left > LGE_HEARTBEAT_LOOK_NS ? LGE_HEARTBEAT_LOOK_NS : left;
}

/* The next time is a whole number of limits after the beginning. */
static void put_off(struct lge_thread *thread, uint64_t now) {
    thread->wait_due = now + limit_ns - (now - thread->wait_begun) % limit_ns;
}

/* ---- who ---- */

/* Whether all slots of the semaphore are held, as far as it is a lock; *certain: it is. */
static bool exhausted(const struct lge_thread *waiter, const struct lge_keepers *keepers, bool *certain) {
    enum lge_semaphore_trust trust;
    uint32_t slots = lge_semaphore_exhaustible(waiter->request.id, &trust);
    *certain = trust != LGE_PERHAPS_LOCK;
    return slots != 0 && keepers->count + keepers->own >= slots && (*certain || slots == 1);
}

/* Who may be in the way; *certain: they are. */
static struct lge_keepers keepers_of(const struct lge_thread *thread, bool *certain) {
    struct lge_keepers keepers = lge_keepers_find(thread);
    *certain = true;
    if (keepers.count != 0 && thread->request.kind == LGR_LOCK_SEMAPHORE &&
        !exhausted(thread, &keepers, certain))
        keepers.count = 0;
    return keepers;
}

struct lge_keepers lge_overdue_note(const struct lge_thread *thread) {
    bool certain;
    struct lge_keepers keepers = keepers_of(thread, &certain);
    if (!certain)
        keepers.count = 0;
    return keepers;
}

/* From holder to holder; where a lock has several, along one of them. */
static bool leads_to_deadlock(const struct lge_thread *thread) {
    enum { FAR = 64 };
    for (int hops = 0; thread != NULL && hops < FAR; hops++) {
        uint32_t sequence = lge_wait_sequence(thread);
        if (!lge_waiting(sequence))
            return false;
        if (atomic_load_explicit(&thread->wait.reported, memory_order_relaxed))
            return lge_wait_unchanged(thread, sequence);
        const struct lge_thread *next = lge_waits_for(thread, 0);
        if (!lge_wait_unchanged(thread, sequence))
            return false;
        thread = next;
    }
    return false;
}

/* ---- what is told ---- */

static void describe_holders_wait(struct lge_overdue *overdue, const struct lge_thread *holder) {
    const struct lge_wait *wait = &holder->wait;
    uint32_t sequence = lge_wait_sequence(holder);
    if (!lge_waiting(sequence))
        return;
    overdue->holder_waits = atomic_load_explicit(&wait->kind, memory_order_relaxed);
    overdue->holder_wants = atomic_load_explicit(&wait->target, memory_order_relaxed);
    overdue->holder_wants_address = atomic_load_explicit(&wait->address, memory_order_relaxed);
    overdue->holder_at_condition = atomic_load_explicit(&wait->condition, memory_order_relaxed) != 0;
    if (!lge_wait_unchanged(holder, sequence))
        overdue->holder_waits = LGR_WAIT_NONE;
}

static void describe_hold(struct lge_overdue *overdue, const struct lge_holder *holder, uint64_t now) {
    overdue->holder = holder->tid;
    overdue->holder_known = holder->serial;
    overdue->taken_at = holder->site;
    overdue->held_exactly = (holder->since & LGE_SINCE_EXACTLY) != 0;
    if (holder->since != LGE_SINCE_UNKNOWN && holder->since_ns < now)
        overdue->held_ns = now - holder->since_ns;
}

static struct lge_overdue describe(const struct lge_thread *thread, const struct lge_keepers *keepers,
                                   uint64_t now, bool at_first) {
    struct lge_overdue overdue = {
        .lock = thread->request.id,
        .address = thread->request.address,
        .kind = thread->request.kind,
        .waited_ns = now - thread->wait_begun,
        .at_first = at_first,
        .more_holders = keepers->threads == 0 ? 0 : keepers->threads - 1,
        .queue = lge_waiters_count(thread, thread->request.id, UINT32_MAX),
    };
    describe_hold(&overdue, &keepers->first, now);
    lgp_thread_name_of(overdue.holder, overdue.holder_name);
    const struct lge_thread *holder = at_first ? NULL : lge_thread_by_tid(overdue.holder);
    if (holder != NULL && holder != thread)
        describe_holders_wait(&overdue, holder);
    return overdue;
}

/* Once for each wait. */
static void report(struct lge_thread *thread, const struct lge_keepers *keepers,
                   const struct lge_overdue *overdue) {
    const struct lge_request *request = &thread->request;
    struct lge_misuse misuse = {
        .kind = LGR_KIND_WAIT_TIMEOUT,
        .lock = request->id,
        .site = request->site,
        .sp = request->sp,
        .context = request->context,
        .earlier_context = lge_holder_context(&keepers->first),
        .earlier_thread = keepers->first.serial,
        .earlier_mode = keepers->first.mode,
        .detail = limit_ns / millisecond,
        .address = request->address,
        .lock_kind = request->kind,
        .attributes = request->attributes,
    };
    lge_evidence_name(misuse.earlier_thread, overdue->holder_name);
    lge_report_misuse(thread, &misuse);
}

static void log_it(const struct lge_overdue *overdue) {
    if (on_overdue != NULL)
        on_overdue(overdue);
}

static void tell(struct lge_thread *thread, const struct lge_keepers *keepers, uint64_t now, bool at_first) {
    struct lge_overdue overdue = describe(thread, keepers, now, at_first);
    bool doomed = !at_first && leads_to_deadlock(lge_thread_by_tid(overdue.holder));
    if (!thread->wait_told && !doomed)
        report(thread, keepers, &overdue);
    thread->wait_told = true;
    log_it(&overdue);
}

/* Where nobody is in the way at this moment the next slice looks again. */
void lge_overdue_look(struct lge_thread *thread) {
    uint64_t now = thread->wait_due == UINT64_MAX ? 0 : lgp_monotonic_ns();
    if (now < thread->wait_due)
        return;
    struct lge_keepers keepers = lge_overdue_note(thread);
    if (keepers.count == 0)
        return;
    put_off(thread, now);
    tell(thread, &keepers, now, false);
}

void lge_overdue_ended(struct lge_thread *thread, const struct lge_keepers *keepers) {
    uint64_t now = thread->wait_due == UINT64_MAX ? 0 : lgp_monotonic_ns();
    bool told = atomic_load_explicit(&thread->wait.reported, memory_order_relaxed);
    if (now >= thread->wait_due && keepers->count != 0 && !told)
        tell(thread, keepers, now, true);
}

/* ---- a wait that ends with nothing ---- */

static bool reaches_limit(const struct lge_thread *thread, uint64_t now) {
    return limit_ns != 0 && now - thread->wait_begun + millisecond > limit_ns;
}

static void began_before(struct lge_thread *thread, uint64_t least_ns, uint64_t now) {
    if (now - thread->wait_begun < least_ns && least_ns < now)
        thread->wait_begun = now - least_ns;
}

/* Zeros where it does not hold it. */
static struct lge_holder own_hold(const struct lge_thread *thread) {
    const struct lge_held *held = lge_newest_hold(thread, thread->request.address);
    if (held == NULL)
        return (struct lge_holder){0};
    return (struct lge_holder){
        .serial = lge_thread_serial(thread), .tid = lge_thread_tid(thread), .site = held->site};
}

void lge_overdue_gave_up(struct lge_thread *thread, uint32_t least_ms) {
    uint64_t now = lgp_monotonic_ns();
    if (!lge_waits_for_lock(thread))
        return;
    began_before(thread, least_ms * millisecond, now);
    if (now - thread->wait_begun < millisecond)
        return;
    bool certain;
    struct lge_keepers keepers = keepers_of(thread, &certain);
    if (keepers.count == 0 && thread->request.kind == LGR_LOCK_SEMAPHORE)
        return;
    bool deadlocked = atomic_load_explicit(&thread->wait.reported, memory_order_relaxed);
    if (certain && keepers.count != 0 && reaches_limit(thread, now) && !deadlocked) {
        tell(thread, &keepers, now, false);
        return;
    }
    if (keepers.count == 0)
        keepers.first = own_hold(thread);
    struct lge_overdue overdue = describe(thread, &keepers, now, false);
    log_it(&overdue);
}
