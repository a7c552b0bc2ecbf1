/* Publishing a wait, and what is recorded while it lasts.  The search is in
 * deadlock.c. */
#include "engine/wait.h"

#include "engine/context.h"
#include "engine/deadlock.h"
#include "engine/evidence.h"
#include "engine/graph.h"
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

/* Makes the wait visible.  The fence orders it before our look at the others:
 * of two threads that close a cycle together, one at least sees the other. */
static void publish(struct lge_thread *thread, uint32_t kind, uint64_t target, const int *owner,
                    struct lge_thread *joined, uint32_t context, bool timed) {
    struct lge_wait *wait = &thread->wait;
    atomic_store_explicit(&wait->kind, kind, memory_order_relaxed);
    atomic_store_explicit(&wait->target, target, memory_order_relaxed);
    atomic_store_explicit(&wait->owner, owner, memory_order_relaxed);
    atomic_store_explicit(&wait->joined, joined, memory_order_relaxed);
    atomic_store_explicit(&wait->round, NULL, memory_order_relaxed);
    atomic_store_explicit(&wait->context, context, memory_order_relaxed);
    atomic_store_explicit(&wait->mode, thread->request.mode, memory_order_relaxed);
    atomic_store_explicit(&wait->address, thread->request.address, memory_order_relaxed);
    atomic_store_explicit(&wait->shareable, shareable(&thread->request), memory_order_relaxed);
    atomic_store_explicit(&wait->queues, queues(&thread->request), memory_order_relaxed);
    atomic_store_explicit(&wait->timed, timed, memory_order_relaxed);
    atomic_store_explicit(&wait->reported, 0, memory_order_relaxed);
    atomic_store_explicit(&wait->stacked, !recording && context != 0 && all_stacked(thread),
                          memory_order_relaxed);
    /* Release: pairs with the acquire load in deadlock.c. */
    atomic_fetch_add_explicit(&wait->sequence, 1, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
}

/* Once per wait: the thread's own contexts, and its record and state in the
 * evidence file, which may be all that is left of it soon. */
void lge_wait_stack(struct lge_thread *thread) {
    struct lge_wait *wait = &thread->wait;
    if (atomic_load_explicit(&wait->stacked, memory_order_relaxed))
        return;
    uint32_t context = lge_context_resolve(thread, thread->request.site, thread->request.sp);
    if (atomic_load_explicit(&wait->context, memory_order_relaxed) == 0)
        atomic_store_explicit(&wait->context, context, memory_order_relaxed);
    if (recording)
        lge_evidence_state(thread, lge_deadlock_owner(thread));
    /* Release: our held contexts are seen by whoever sees this. */
    atomic_store_explicit(&wait->stacked, 1, memory_order_release);
}

static void count_contention(const struct lge_request *request) {
    atomic_fetch_add_explicit(&contended, 1, memory_order_relaxed);
    lge_table_lock();
    struct lge_lock *lock = lge_lock_obtain(request);
    if (lock != NULL)
        lock->contended++;
    lge_table_unlock();
}

bool lge_wait_begin(struct lge_thread *thread, const struct lge_request *request, const int *owner) {
    thread->request = *request;
    thread->wait_since = 0;
    count_contention(request);
    publish(thread, LGR_WAIT_LOCK, request->id, owner, NULL, request->context,
            (request->flags & LGE_TIMED) != 0);
    return lge_deadlock_look(thread);
}

void lge_wait_reacquire(struct lge_thread *thread, const struct lge_request *request, const int *owner) {
    thread->request = *request;
    thread->wait_since = 0;
    uint32_t context = lge_context_resolve(thread, request->site, request->sp);
    publish(thread, LGR_WAIT_LOCK, request->id, owner, NULL, request->context ? request->context : context,
            false);
    atomic_store_explicit(&thread->wait.stacked, 1, memory_order_release);
}

bool lge_wait_join(struct lge_thread *thread, struct lge_thread *target, uintptr_t site, uintptr_t sp,
                   uint32_t context, bool timed) {
    thread->request = (struct lge_request){.site = site, .sp = sp, .context = context};
    thread->wait_since = lgp_realtime_ns();
    if (context == 0 && lge_depth(thread) != 0)
        context = lge_context_resolve(thread, site, sp);
    publish(thread, LGR_WAIT_JOIN, lge_thread_serial(target), NULL, target, context, timed);
    return lge_deadlock_look(thread);
}

bool lge_wait_barrier(struct lge_thread *thread, const _Atomic uint32_t *all_here, uintptr_t site,
                      uintptr_t sp) {
    bool holds = lge_depth(thread) != 0;
    thread->request = (struct lge_request){.site = site, .sp = sp};
    thread->wait_since = holds ? lgp_realtime_ns() : 0;
    publish(thread, LGR_WAIT_BARRIER, 0, NULL, NULL, 0, false);
    /* Afterwards: whoever finds it before sees a barrier that nobody waits at. */
    atomic_store_explicit(&thread->wait.round, all_here, memory_order_release);
    if (!holds)
        return false;
    lge_wait_stack(thread);
    return lge_deadlock_look(thread);
}

bool lge_wait_again(struct lge_thread *thread) {
    if (thread->wait_since == 0)
        thread->wait_since = lgp_realtime_ns();
    if (recording && atomic_load_explicit(&thread->wait.stacked, memory_order_relaxed))
        lge_evidence_state(thread, lge_deadlock_owner(thread));
    lge_wait_stack(thread);
    return lge_deadlock_look(thread);
}

/* Only waits long enough to have been looked at again know their length. */
static void count_long_wait(const struct lge_thread *thread) {
    if (atomic_load_explicit(&thread->wait.kind, memory_order_relaxed) != LGR_WAIT_LOCK)
        return;
    uint64_t waited = lgp_realtime_ns() - thread->wait_since;
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
    /* Release: nothing of the wait is written after this.  The fence: what comes
     * next, holds and the next wait, is not seen before it. */
    atomic_fetch_add_explicit(&thread->wait.sequence, 1, memory_order_release);
    atomic_thread_fence(memory_order_release);
    if (thread->wait_since != 0)
        count_long_wait(thread);
    atomic_store_explicit(&thread->wait.kind, LGR_WAIT_NONE, memory_order_relaxed);
    if (thread->state != NULL)
        lge_evidence_state_clear(thread);
}

void lge_waits_after_fork(struct lge_thread *self) {
    if (atomic_load_explicit(&self->wait.sequence, memory_order_relaxed) & 1)
        lge_wait_end(self);
}
