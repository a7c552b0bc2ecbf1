/* pthread_cond_*: a wait gives the mutex up and takes it again, inside libc and
 * past any interposer; POSIX.1-2017 pthread_cond_timedwait(3p).
 *
 * Cancellation: a cancelled waiter owns the mutex again before the program's
 * own clean-up handlers run, so the hold is put back by a handler of ours,
 * which is inner to them. */
#include <errno.h>
#include <pthread.h>

#include "engine/context.h"
#include "engine/evidence.h"
#include "engine/graph.h"
#include "engine/known.h"
#include "engine/misuse.h"
#include "engine/mix.h"
#include "engine/outside.h"
#include "engine/overlong.h"
#include "interpose/company.h"
#include "interpose/cond.h"
#include "interpose/cond_order.h"
#include "interpose/mutex.h"
#include "interpose/mutex_kind.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "platform/tasks.h"

/* A mutex given up for the wait. */
struct given_up {
    struct lge_thread *thread; /* NULL: not tracked */
    pthread_cond_t *condition;
    bool mutex_held; /* there is something to put back */
    bool published;
    bool woken;
    bool lost;        /* a robust mutex that cannot be recovered: not had back */
    uint32_t context; /* of the wait */
    const _Atomic uint32_t *signalled;
    struct lge_request request;
};

/* ---- misuse ---- */

/* Of a wait or a signal at (site, sp); `other`: the thread it conflicts with. */
static struct lge_misuse misuse_of(enum lgr_kind kind, uintptr_t site, uintptr_t sp,
                                   const struct lgi_condition_use *other) {
    return (struct lge_misuse){
        .kind = kind,
        .site = site,
        .sp = sp,
        .earlier_context = other == NULL ? 0 : other->context,
        .earlier_thread = other == NULL ? 0 : other->serial,
    };
}

static void about_mutex(struct lge_misuse *misuse, const struct lge_request *request) {
    misuse->lock = request->id;
    misuse->address = request->address;
    misuse->lock_kind = request->kind;
    misuse->attributes = request->attributes;
}

static uint32_t owner_of(const pthread_mutex_t *mutex) {
    return lge_owner_id(__atomic_load_n(lgi_mutex_owner(mutex), __ATOMIC_RELAXED));
}

/* A mutex that was taken past us belongs to the caller all the same: its owner
 * field decides.  One whose lock is elided has no owner. */
static bool held_in_fact(const pthread_mutex_t *mutex, const struct lge_thread *thread) {
    return owner_of(mutex) == lge_thread_tid(thread) || (lgi_kind_of(mutex) & LGI_ELISION) != 0;
}

static void report_unheld(const struct given_up *given, const pthread_mutex_t *mutex) {
    bool outside = lge_outside(mutex, given->request.attributes); /* its owner may be, too */
    struct lge_thread *owner = outside ? NULL : lge_thread_by_tid(owner_of(mutex));
    struct lgi_condition_use other = {.serial = owner == NULL ? 0 : lge_thread_serial(owner)};
    struct lge_misuse misuse =
        misuse_of(LGR_KIND_COND_WAIT_UNHELD, given->request.site, given->request.sp, &other);
    about_mutex(&misuse, &given->request);
    lge_report_misuse(given->thread, &misuse);
}

/* So that the report can name it: the other mutex may be in no edge. */
static void know_mutex(const struct lgi_condition_use *use) {
    struct lge_request request = {.address = use->mutex, .id = use->mutex_id, .kind = LGR_LOCK_MUTEX};
    lge_table_lock();
    lge_lock_obtain(&request);
    lge_table_unlock();
}

static void report_two_mutexes(const struct given_up *given, const struct lgi_condition_use *other) {
    know_mutex(other);
    struct lge_misuse misuse =
        misuse_of(LGR_KIND_COND_TWO_MUTEXES, given->request.site, given->request.sp, other);
    about_mutex(&misuse, &given->request);
    misuse.other = other->mutex_id;
    lge_report_misuse(given->thread, &misuse);
}

/* Waits while it holds something else: a note, with where that was taken. */
static void note_holding(const struct given_up *given) {
    for (const struct lge_held *held = given->thread->base + 1; held <= given->thread->top; held++) {
        struct lge_misuse misuse =
            misuse_of(LGR_KIND_COND_WAIT_HOLDING, given->request.site, given->request.sp, NULL);
        misuse.lock = held->id;
        misuse.other = given->request.id;
        misuse.earlier_context = held->context;
        misuse.severity = LGR_NOTE;
        lge_report_misuse(given->thread, &misuse);
    }
}

/* A waiter holds what a signaller takes on its way; detail tells which of them
 * the caller is. */
static void report_holding(struct lge_thread *thread, const struct lgi_condition_conflict *conflict,
                           uintptr_t site, uintptr_t sp, enum lgr_holding_detail caller) {
    struct lge_misuse misuse = misuse_of(LGR_KIND_COND_WAIT_HOLDING, site, sp, &conflict->other);
    misuse.lock = conflict->held.id;
    misuse.address = conflict->held.address;
    misuse.lock_kind = conflict->held.kind;
    misuse.attributes = conflict->held.attributes;
    misuse.detail = caller;
    lge_report_misuse(thread, &misuse);
}

/* Once per thread for each set of locks and place. */
static void check_holding(const struct given_up *given, const struct lgi_condition_use *use) {
    uint64_t key = lge_mix(given->thread->top->key ^ (uintptr_t)given->condition, given->request.site);
    if (lge_recent(given->thread, key))
        return;
    lge_recent_insert(given->thread, key);
    struct lgi_condition_conflict conflict;
    lgi_condition_waits_holding(given->thread, given->condition, use, &conflict);
    note_holding(given);
    if (conflict.found)
        report_holding(given->thread, &conflict, given->request.site, given->request.sp, LGR_HOLDING_WAITER);
}

/* ---- hand-overs that a late comer does not wait for ---- */

/* Only of threads with dependencies: what others hand over orders nothing. */
static bool untold(struct lge_thread *thread, const pthread_cond_t *condition, enum lgr_condition_role role) {
    return thread->has_dependencies && !lge_recent(thread, lge_mix((uintptr_t)condition, role));
}

static void tell_use(struct lge_thread *thread, const pthread_cond_t *condition, uint64_t mutex,
                     enum lgr_condition_role role) {
    lge_recent_insert(thread, lge_mix((uintptr_t)condition, role));
    lge_evidence_condition(thread, condition, mutex, role);
}

/* Once for a thread and condition.  Not of a mutex that other processes see. */
static void tell_wait(const struct given_up *given, const struct lgi_condition_use *use) {
    if (lge_outside(use->mutex, given->request.attributes)) {
        lge_recent_insert(given->thread, lge_mix((uintptr_t)given->condition, LGR_CONDITION_WAITS));
        return;
    }
    know_mutex(use);
    tell_use(given->thread, given->condition, use->mutex_id, LGR_CONDITION_WAITS);
}

/* ---- waiting ---- */

static void enter_wait(struct given_up *given, pthread_mutex_t *mutex) {
    struct lgi_condition_use use = {.serial = lge_thread_serial(given->thread)};
    struct lgi_condition_conflict conflict;
    use.context = given->request.context;
    if (use.context == 0)
        use.context = lge_context_capture(given->thread, given->request.site, given->request.sp);
    if (given->mutex_held && lge_maybe_private(given->request.attributes)) {
        use.mutex = mutex;
        use.mutex_id = given->request.id;
    }
    given->context = use.context;
    if (use.mutex != NULL && untold(given->thread, given->condition, LGR_CONDITION_WAITS))
        tell_wait(given, &use);
    given->signalled = lgi_condition_wait_begin(given->condition, &use, &conflict);
    if (conflict.found && !lge_outside(mutex, given->request.attributes) &&
        !lgp_memory_shared(conflict.other.mutex))
        report_two_mutexes(given, &conflict.other);
    if (given->mutex_held && lge_held_count(given->thread) != 0)
        check_holding(given, &use);
}

/* glibc keeps it in the lowest bit, since 2.25. */
static bool process_shared(const pthread_cond_t *condition) {
    return (__atomic_load_n(&condition->__data.__wrefs, __ATOMIC_RELAXED) & 1) != 0;
}

/* A wait with a limit matters only for the locks that are held meanwhile. */
static void publish(struct given_up *given, const pthread_mutex_t *mutex, bool limited) {
    struct lge_condition_wait wait = {
        .condition = given->condition,
        .signalled = given->signalled,
        .context = given->context,
        .endless = !limited && given->signalled != NULL && !process_shared(given->condition),
    };
    given->published = given->mutex_held && (wait.endless || lge_held_count(given->thread) != 0);
    if (given->published && lge_wait_condition(given->thread, &given->request, lgi_mutex_owner(mutex), &wait))
        lgi_on_deadlock();
}

/* The re-acquisition is a blocking request under everything else still held:
 * checked now, because libc makes it without us. */
static void give_up(struct given_up *given, pthread_mutex_t *mutex, bool limited, uintptr_t site,
                    uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    given->thread = thread;
    if (thread == NULL)
        return;
    lge_releasing(thread, mutex, site, sp);
    given->mutex_held = lge_released(thread, mutex);
    lgi_mutex_request(thread, mutex, site, sp, &given->request);
    given->request.flags |= LGE_TAKEN_BACK;
    if (given->mutex_held)
        lge_check(thread, &given->request);
    else if (!held_in_fact(mutex, thread))
        report_unheld(given, mutex);
    enter_wait(given, mutex);
    publish(given, mutex, limited);
    lgi_leave(thread);
}

static void take_back(void *argument) {
    struct given_up *given = argument;
    if (given->thread == NULL || lgi_enter() == NULL)
        return;
    if (given->published)
        lge_wait_end(given->thread);
    lgi_condition_wait_end(given->thread, given->condition, given->woken);
    if (given->mutex_held && !given->lost)
        lge_acquired(given->thread, &given->request);
    lgi_leave(given->thread);
}

int lgi_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct lgi_limit *limit,
                  uintptr_t site, uintptr_t sp) {
    int result;
    struct given_up given = {.condition = condition};
    give_up(&given, mutex, limit != NULL, site, sp);
    pthread_cleanup_push(take_back, &given);
    if (limit == NULL)
        result = lgi_real.cond_wait(condition, mutex);
    else if (limit->by_clock)
        result = lgi_real.cond_clockwait(condition, mutex, limit->clock, limit->at);
    else
        result = lgi_real.cond_timedwait(condition, mutex, limit->at);
    given.woken = result == 0;
    given.lost = result == ENOTRECOVERABLE;
    pthread_cleanup_pop(1);
    return result;
}

/* ---- signalling ---- */

/* The newest wait that is counted as signalled by it. */
static uint64_t before_signal(const pthread_cond_t *condition, bool all, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_outside();
    bool first = thread != NULL && untold(thread, condition, LGR_CONDITION_SIGNALS);
    if (thread != NULL && !first && lge_depth(thread) < 2 && !lgi_condition_watched(condition)) {
        lgi_condition_note_signal(thread, condition, site);
        return LGI_NO_WAITS;
    }
    thread = lgi_enter();
    if (thread == NULL) {
        lgi_company_for_good(); /* nobody will know whom it woke */
        return LGI_ALL_COUNTED;
    }
    if (first)
        tell_use(thread, condition, 0, LGR_CONDITION_SIGNALS);
    struct lgi_condition_conflict conflict;
    uint64_t newest;
    lgi_condition_note_signal(thread, condition, site);
    lgi_condition_signal(thread, condition, all, site, sp, &conflict, &newest);
    if (conflict.found)
        report_holding(thread, &conflict, site, sp, LGR_HOLDING_SIGNALLER);
    lgi_leave(thread);
    return newest;
}

/* The fence: if libc saw a waiter, we see its watch. */
static void after_signal(const pthread_cond_t *condition, bool all, uint64_t newest) {
    if (newest == LGI_ALL_COUNTED)
        return;
    atomic_thread_fence(memory_order_acquire);
    if (!lgi_condition_watched(condition))
        return;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL) {
        lgi_company_for_good();
        return;
    }
    lgi_condition_signal_after(condition, all, newest);
    lgi_leave(thread);
}

/* What was done before the signal, not the signal itself, is what orders. */
int lgi_cond_signal(int (*real)(pthread_cond_t *), pthread_cond_t *condition, bool all, uintptr_t site,
                    uintptr_t sp) {
    uint64_t newest = before_signal(condition, all, site, sp);
    int result = real(condition);
    after_signal(condition, all, newest);
    return result;
}

LGI_EXPORT int pthread_cond_signal(pthread_cond_t *condition) {
    return lgi_cond_signal(lgi_real.cond_signal, condition, false, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_cond_broadcast(pthread_cond_t *condition) {
    return lgi_cond_signal(lgi_real.cond_broadcast, condition, true, LGI_SITE(), LGI_SP());
}

/* ---- life ---- */

void lgi_cond_initialised(pthread_cond_t *condition) {
    if (!lgi_condition_watched(condition))
        return;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    lgi_condition_init(condition);
    lgi_leave(thread);
}

/* glibc waits in there for waiters that nobody may ever wake: said before.  What other
 * processes signalled is not known. */
void lgi_cond_destroyed(pthread_cond_t *condition, uintptr_t site, uintptr_t sp) {
    if (!lgi_condition_watched(condition))
        return;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    struct lgi_condition_conflict conflict;
    lgi_condition_destroy(condition, &conflict);
    if (conflict.found && !process_shared(condition)) {
        struct lge_misuse misuse = misuse_of(LGR_KIND_COND_DESTROY_WAITED, site, sp, &conflict.other);
        if (conflict.other.mutex != NULL) {
            know_mutex(&conflict.other);
            misuse.lock = conflict.other.mutex_id;
        }
        lge_report_misuse(thread, &misuse);
    }
    lgi_leave(thread);
}

LGI_EXPORT int pthread_cond_init(pthread_cond_t *restrict condition,
                                 const pthread_condattr_t *restrict attributes) {
    lgi_cond_initialised(condition);
    return lgi_real.cond_init(condition, attributes);
}

LGI_EXPORT int pthread_cond_destroy(pthread_cond_t *condition) {
    lgi_cond_destroyed(condition, LGI_SITE(), LGI_SP());
    return lgi_real.cond_destroy(condition);
}

/* ---- waiting ---- */

LGI_EXPORT int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    return lgi_cond_wait(condition, mutex, NULL, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                      const struct timespec *at) {
    struct lgi_limit limit = {.clock = CLOCK_REALTIME, .at = at, .by_clock = false};
    return lgi_cond_wait(condition, mutex, &limit, LGI_SITE(), LGI_SP());
}

LGI_EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                      const struct timespec *at) {
    struct lgi_limit limit = {.clock = clock, .at = at, .by_clock = true};
    return lgi_cond_wait(condition, mutex, &limit, LGI_SITE(), LGI_SP());
}
