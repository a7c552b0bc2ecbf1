/* Publishing a wait, and what is recorded while it lasts.  The search is in
 * deadlock.c. */
#include "engine/wait.h"

#include "engine/census.h"
#include "engine/context.h"
#include "engine/deadlock.h"
#include "engine/evidence.h"
#include "engine/graph.h"
#include "engine/heartbeat.h"
#include "engine/outside.h"
#include "engine/overdue.h"
#include "engine/overlong.h"
#include "engine/stall.h"
#include "engine/timeline.h"
#include "engine/usage.h"
#include "platform/system.h"

static _Atomic uint64_t contended; /* relaxed: a figure */
static bool recording;

void lge_waits_start(bool record) { recording = record; }
uint64_t lge_waits_contended(void) { return atomic_load_explicit(&contended, memory_order_relaxed); }
void lge_waits_reset(void) { atomic_store_explicit(&contended, 0, memory_order_relaxed); }

static bool all_stacked(const struct lge_thread *thread) {
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (held->context == 0)
            return false;
    return true;
}

static bool shareable(const struct lge_request *request) {
    return request->kind == LGR_LOCK_RWLOCK && !(request->flags & LGE_HOLDERS_UNKNOWN);
}

static bool queues(const struct lge_request *request) {
    return shareable(request) && request->mode == LGR_SHARED && (request->flags & LGE_WRITER_PREFERRED);
}

/* What is to be published. */
struct begun {
    enum lgr_wait_kind kind;
    uint64_t target;
    const int *owner;
    struct lge_thread *joined;
    const void *address;
    const _Atomic uint32_t *over;
    uint32_t context;
    bool timed;
    bool endless;
    bool stacked; /* its stack and those of its holds are known */
};

static void store(struct lge_thread *thread, const struct begun *begun) {
    struct lge_wait *wait = &thread->wait;
    const struct lge_request *request = &thread->request;
    atomic_store_explicit(&wait->kind, begun->kind, memory_order_relaxed);
    atomic_store_explicit(&wait->target, begun->target, memory_order_relaxed);
    atomic_store_explicit(&wait->owner, begun->owner, memory_order_relaxed);
    atomic_store_explicit(&wait->joined, begun->joined, memory_order_relaxed);
    atomic_store_explicit(&wait->over, begun->over, memory_order_relaxed);
    atomic_store_explicit(&wait->context, begun->context, memory_order_relaxed);
    atomic_store_explicit(&wait->mode, request->mode, memory_order_relaxed);
    atomic_store_explicit(&wait->lock_kind, request->kind, memory_order_relaxed);
    atomic_store_explicit(&wait->address, begun->address, memory_order_relaxed);
    atomic_store_explicit(&wait->shareable, shareable(request), memory_order_relaxed);
    atomic_store_explicit(&wait->outside, lge_maybe_outside(request->attributes), memory_order_relaxed);
    atomic_store_explicit(&wait->queues, queues(request), memory_order_relaxed);
    atomic_store_explicit(&wait->condition, (request->flags & LGE_TAKEN_BACK) != 0, memory_order_relaxed);
    atomic_store_explicit(&wait->timed, begun->timed, memory_order_relaxed);
    atomic_store_explicit(&wait->endless, begun->endless, memory_order_relaxed);
    atomic_store_explicit(&wait->reported, 0, memory_order_relaxed);
    bool stacked = begun->stacked || (!recording && begun->context != 0 && all_stacked(thread));
    atomic_store_explicit(&wait->stacked, stacked, memory_order_relaxed);
}

/* Makes the wait visible.  The fence orders it before our look at the others:
 * of two threads that close a cycle together, one at least sees the other. */
static void publish(struct lge_thread *thread, const struct begun *begun) {
    lge_wait_end(thread); /* one that a handler interrupted, which waits itself now, or left by siglongjmp */
    lge_overdue_never(thread);
    lge_timeline_begins(thread);
    store(thread, begun);
    uint64_t now = begun->endless ? lgp_realtime_ns() : 0;
    atomic_store_explicit(&thread->wait.since_ns, now, memory_order_relaxed);
    /* Release: pairs with the acquire load in deadlock.c. */
    atomic_fetch_add_explicit(&thread->wait.sequence, 1, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (!begun->endless)
        return;
    thread->counted = true;
    lge_census_add(LGE_CENSUS_WAIT);
}

static void set_since(struct lge_thread *thread, uint64_t ns) {
    atomic_store_explicit(&thread->wait_since, ns, memory_order_relaxed);
}

/* Once per wait: the thread's own contexts, and its record and state in the
 * evidence file. */
void lge_wait_stack(struct lge_thread *thread) {
    struct lge_wait *wait = &thread->wait;
    if (!atomic_load_explicit(&wait->stacked, memory_order_relaxed)) {
        uint32_t context = lge_context_resolve(thread, thread->request.site, thread->request.sp);
        if (atomic_load_explicit(&wait->context, memory_order_relaxed) == 0)
            atomic_store_explicit(&wait->context, context, memory_order_relaxed);
    }
    if (recording && thread->state == NULL)
        lge_evidence_state(thread, lge_deadlock_owner(thread));
    /* Release: our held contexts are seen by whoever sees this. */
    atomic_store_explicit(&wait->stacked, 1, memory_order_release);
}

/* True when another thread than this one waited for the lock before, or none did. */
static bool count_contention(const struct lge_thread *thread, const struct lge_request *request) {
    uint32_t serial = lge_thread_serial(thread), before = serial;
    atomic_fetch_add_explicit(&contended, 1, memory_order_relaxed);
    lge_table_lock();
    struct lge_lock *lock = lge_lock_obtain(request);
    if (lock != NULL) {
        lock->contended++;
        before = lock->waited_by;
        lock->waited_by = serial;
    }
    lge_table_unlock();
    return before != serial;
}

/* Those that wait at this moment, the thread included. */
static void note_queue(const struct lge_thread *thread) {
    enum { MOST_THREADS = 256 };
    uint32_t waiters = lge_waiters_count(thread, thread->request.id, MOST_THREADS) + 1;
    lge_table_lock();
    struct lge_lock *lock = lge_lock_find(thread->request.id);
    if (lock != NULL && waiters > lock->waiters_most)
        lock->waiters_most = waiters;
    lge_table_unlock();
}

/* Nobody outside the process, and no refusal of libc, ends it.  Who tells of a stall
 * asks in what memory the lock is (lge_config.company): here a robust mutex passes for private. */
static bool ends_inside(const struct lge_request *request) {
    return lge_maybe_private(request->attributes) && (request->attributes & LGR_LOCK_PRIO_PROTECT) == 0 &&
           request->kind != LGR_LOCK_FILE;
}

static struct begun for_lock(const struct lge_request *request, const int *owner) {
    bool timed = (request->flags & LGE_TIMED) != 0;
    return (struct begun){.kind = LGR_WAIT_LOCK,
                          .target = request->id,
                          .owner = owner,
                          .address = request->address,
                          .context = request->context,
                          .timed = timed,
                          .endless = !timed && ends_inside(request)};
}

bool lge_wait_begin(struct lge_thread *thread, const struct lge_request *request, const int *owner) {
    thread->request = *request;
    set_since(thread, 0);
    bool changed = count_contention(thread, request);
    struct begun begun = for_lock(request, owner);
    publish(thread, &begun);
    lge_overdue_begin(thread);
    lge_usage_wait_begins(thread, changed);
    lge_usages_write_sometimes(thread->wait_begun);
    return lge_deadlock_look(thread) || lge_stall_look(thread);
}

bool lge_wait_in_kernel(struct lge_thread *thread, const struct lge_request *request) {
    thread->request = *request;
    set_since(thread, lgp_realtime_ns());
    bool changed = count_contention(thread, request);
    struct begun begun = for_lock(request, NULL);
    begun.timed = begun.endless = false; /* a handler or another process may end it */
    publish(thread, &begun);
    lge_overdue_begin(thread);
    lge_usage_wait_begins(thread, changed);
    lge_overdue_never(thread);
    lge_wait_stack(thread);
    return lge_deadlock_look(thread);
}

/* Whose wait has no slices is not asked again: its stack is taken at once. */
static uint32_t stack_now(struct lge_thread *thread, uint32_t context, uintptr_t site, uintptr_t sp) {
    uint32_t found = 0;
    if (lge_depth(thread) != 0)
        found = lge_context_resolve(thread, site, sp);
    else if (context == 0)
        found = lge_context_capture(thread, site, sp);
    return context != 0 ? context : found;
}

bool lge_wait_signal(struct lge_thread *thread, const struct lge_request *request) {
    thread->request = *request;
    thread->request.flags |= LGE_TAKEN_BACK;
    set_since(thread, 0);
    struct begun begun = for_lock(request, NULL);
    begun.context = stack_now(thread, request->context, request->site, request->sp);
    begun.stacked = true;
    publish(thread, &begun);
    return lge_stall_look(thread);
}

bool lge_wait_condition(struct lge_thread *thread, const struct lge_request *request, const int *owner,
                        const struct lge_condition_wait *wait) {
    thread->request = *request;
    thread->request.flags |= LGE_TAKEN_BACK;
    set_since(thread, 0);
    struct begun begun = {.kind = LGR_WAIT_CONDITION,
                          .target = (uintptr_t)wait->condition,
                          .address = wait->condition,
                          .over = wait->signalled,
                          .context = stack_now(thread, wait->context, request->site, request->sp),
                          .endless = wait->endless && ends_inside(request),
                          .stacked = true};
    if (lge_depth(thread) != 0) {
        begun.kind = LGR_WAIT_LOCK;
        begun.target = request->id;
        begun.owner = owner;
    }
    publish(thread, &begun);
    return lge_stall_look(thread);
}

bool lge_wait_join(struct lge_thread *thread, struct lge_thread *target, uintptr_t site, uintptr_t sp,
                   uint32_t context, bool timed) {
    thread->request = (struct lge_request){.site = site, .sp = sp, .context = context};
    set_since(thread, lgp_realtime_ns());
    struct begun begun = {.kind = LGR_WAIT_JOIN,
                          .target = lge_thread_serial(target),
                          .joined = target,
                          .context = stack_now(thread, context, site, sp),
                          .timed = timed,
                          .endless = !timed,
                          .stacked = true};
    publish(thread, &begun);
    return lge_deadlock_look(thread) || lge_stall_look(thread);
}

bool lge_wait_once(struct lge_thread *thread, const void *control, uintptr_t site, uintptr_t sp) {
    thread->request = (struct lge_request){.site = site, .sp = sp};
    set_since(thread, lgp_realtime_ns());
    struct begun begun = {.kind = LGR_WAIT_ONCE,
                          .address = control,
                          .context = stack_now(thread, 0, site, sp),
                          .endless = true,
                          .stacked = true};
    publish(thread, &begun);
    return lge_deadlock_look(thread) || lge_stall_look(thread);
}

bool lge_wait_barrier(struct lge_thread *thread, const void *barrier, const _Atomic uint32_t *all_here,
                      uintptr_t site, uintptr_t sp) {
    thread->request = (struct lge_request){.site = site, .sp = sp};
    set_since(thread, lge_depth(thread) != 0 ? lgp_realtime_ns() : 0);
    struct begun begun = {.kind = LGR_WAIT_BARRIER,
                          .address = barrier,
                          .over = all_here,
                          .context = stack_now(thread, 0, site, sp),
                          .endless = true,
                          .stacked = true};
    publish(thread, &begun);
    return (lge_depth(thread) != 0 && lge_deadlock_look(thread)) || lge_stall_look(thread);
}

/* After its first slice: a wait that is worth some more work. */
static void note_long_wait(struct lge_thread *thread) {
    uint64_t now = lgp_realtime_ns();
    bool for_lock = lge_waits_for_lock(thread);
    set_since(thread, for_lock ? now - (lgp_monotonic_ns() - thread->wait_begun) : now);
    if (!for_lock)
        return;
    note_queue(thread);
    lge_overdue_note(thread);
}

bool lge_wait_again(struct lge_thread *thread) {
    if (lge_wait_since(thread) == 0)
        note_long_wait(thread);
    if (recording && atomic_load_explicit(&thread->wait.stacked, memory_order_relaxed))
        lge_evidence_state(thread, lge_deadlock_owner(thread));
    lge_wait_stack(thread);
    bool stuck = lge_deadlock_look_again(thread) || lge_stall_look(thread);
    if (!stuck) {
        lge_overlong_look(thread);
        lge_heartbeats_look();
    }
    lge_usages_write_sometimes(lgp_monotonic_ns());
    if (!stuck)
        lge_overdue_look(thread); /* last: the next slice is not cut for what came due during the others */
    return stuck;
}

/* Only waits long enough to have been looked at again know their length. */
static void count_long_wait(const struct lge_thread *thread) {
    if (!lge_waits_for_lock(thread))
        return;
    uint64_t waited = lgp_monotonic_ns() - thread->wait_begun;
    lge_table_lock();
    struct lge_lock *lock = lge_lock_find(thread->request.id);
    if (lock != NULL) {
        lock->wait_total_ns += waited;
        if (waited > lock->wait_most_ns)
            lock->wait_most_ns = waited;
    }
    lge_table_unlock();
}

void lge_wait_end(struct lge_thread *thread) {
    bool suspended = thread->wait_suspended;
    thread->wait_suspended = false;
    if (!suspended && !lge_waiting(atomic_load_explicit(&thread->wait.sequence, memory_order_relaxed)))
        return;
    /* Release: nothing of the wait is written after this.  The fence: what comes
     * next, holds and the next wait, is not seen before it. */
    if (!suspended)
        atomic_fetch_add_explicit(&thread->wait.sequence, 1, memory_order_release);
    atomic_thread_fence(memory_order_release);
    if (thread->counted)
        lge_census_remove(LGE_CENSUS_WAIT);
    thread->counted = false;
    lge_usage_wait_ends(thread);
    lge_timeline_wait(thread);
    if (lge_wait_since(thread) != 0)
        count_long_wait(thread);
    atomic_store_explicit(&thread->wait.kind, LGR_WAIT_NONE, memory_order_relaxed);
    if (thread->state != NULL)
        lge_evidence_state_clear(thread);
}

bool lge_wait_suspend(struct lge_thread *thread) {
    atomic_store_explicit(&thread->wait.endless, 0, memory_order_relaxed);
    if (!lge_waiting(atomic_load_explicit(&thread->wait.sequence, memory_order_relaxed)))
        return false;
    thread->wait_suspended = true; /* for a further handler, which may resume it too early */
    uint32_t now = atomic_fetch_add_explicit(&thread->wait.sequence, 1, memory_order_seq_cst) + 1;
    thread->wait_suspended |= lge_wait_sequence(thread) == now;
    return true;
}

void lge_wait_resume(struct lge_thread *thread) {
    if (!thread->wait_suspended)
        return; /* another wait took its place */
    /* As in publish. */
    atomic_fetch_add_explicit(&thread->wait.sequence, 1, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    thread->wait_suspended = false;
}

void lge_waits_after_fork(struct lge_thread *self) {
    self->searched = 0; /* the searches may be counted anew */
    lge_wait_end(self);
    self->counted = false;
    atomic_store_explicit(&lge_census, LGE_CENSUS_THREAD, memory_order_relaxed);
}
