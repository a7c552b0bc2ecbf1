#include "engine/stall.h"

#include "engine/census.h"
#include "engine/context.h"
#include "engine/deadlock.h"
#include "engine/finding.h"
#include "engine/graph.h"
#include "engine/semaphore.h"
#include "engine/thread_set.h"
#include "engine/wait_edge.h"
#include "engine/wait_for.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <sys/syscall.h>
#include <time.h>

/* More threads than a record of the evidence has room for are not listed. */
enum { MOST_TOLD = 4000 };
enum { MILLISECOND = 1000000 };

/* Written by lge_start, read by anybody after it. */
static enum lge_company (*company)(const struct lge_sleeper *, size_t);
static bool (*exhausted)(const void *);
static bool (*last_signal)(const void *, uint32_t *, uintptr_t *);

void lge_stall_start(const struct lge_config *config) {
    company = config->company;
    exhausted = config->exhausted;
    last_signal = config->last_signal;
}

/* ---- whether a wait lasts ---- */

static const void *object_of(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.address, memory_order_relaxed);
}

static bool at_semaphore(const struct lge_thread *thread) {
    return lge_waits_for_lock(thread) &&
           atomic_load_explicit(&thread->wait.lock_kind, memory_order_relaxed) == LGR_LOCK_SEMAPHORE;
}

/* libc refuses a join of what is detached, or joined by another one already. */
static bool join_lasts(const struct lge_thread_set *set, const struct lge_thread *thread) {
    const struct lge_thread *target = atomic_load_explicit(&thread->wait.joined, memory_order_relaxed);
    if (!lge_set_contains(set, target) || lge_thread_serial(target) != lge_wait_target(thread))
        return false;
    lge_threads_lock();
    bool refused = target->detached;
    lge_threads_unlock();
    for (size_t i = 0; i < set->count && !refused; i++) {
        const struct lge_thread *other = set->members[i].thread;
        refused = other != thread && lge_wait_kind(other) == LGR_WAIT_JOIN &&
                  lge_wait_target(other) == lge_wait_target(thread);
    }
    return !refused;
}

/* The routine is never over while who runs it waits. */
static bool once_lasts(const struct lge_thread_set *set, const struct lge_thread *thread) {
    const struct lge_thread *runner = lge_waits_for(thread, 0);
    return runner != NULL && runner != thread && lge_set_contains(set, runner);
}

static bool keeps(const struct lge_thread *thread, uint64_t id) {
    bool found = false;
    lge_threads_lock();
    for (const struct lge_held *held = thread->top; held > thread->base && !found; held--)
        found = held->id == id;
    lge_threads_unlock();
    return found;
}

/* An owner that is about to wait for a condition gives its mutex up at any
 * moment: it is on its held stack no more. */
static bool owner_lasts(const struct lge_thread_set *set, const struct lge_thread *thread,
                        const struct lge_thread *owner) {
    return owner != NULL && owner != thread && lge_set_contains(set, owner) &&
           keeps(owner, lge_wait_target(thread)) && lge_waits_for_still(thread, owner);
}

static bool lock_lasts(const struct lge_thread_set *set, const struct lge_thread *thread) {
    bool single;
    const struct lge_thread *holder = lge_waits_for_owner(thread, &single);
    if (single)
        return owner_lasts(set, thread, holder);
    for (uint32_t n = 0; (holder = lge_waits_for(thread, n)) != NULL; n++)
        if (lge_set_contains(set, holder) && lge_waits_for_still(thread, holder))
            return true;
    return false;
}

/* A cancelled thread leaves its wait as soon as it runs. */
static bool may_last(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.endless, memory_order_relaxed) != 0 &&
           atomic_load_explicit(&thread->wait.reported, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&thread->cancelled_by, memory_order_relaxed) == 0;
}

/* Where somebody who signals or comes last says so. */
static const _Atomic uint32_t *said(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.over, memory_order_acquire);
}

static bool seems_to_last(const struct lge_thread *thread) {
    return may_last(thread) &&
           (said(thread) == NULL || atomic_load_explicit(said(thread), memory_order_acquire) == 0);
}

static bool lasts(const struct lge_thread_set *set, const struct lge_thread *thread) {
    if (said(thread) != NULL)
        return true;
    if (lge_wait_kind(thread) == LGR_WAIT_JOIN)
        return join_lasts(set, thread);
    if (lge_wait_kind(thread) == LGR_WAIT_ONCE)
        return once_lasts(set, thread);
    if (at_semaphore(thread))
        return exhausted != NULL && exhausted(object_of(thread));
    return lge_waits_for_lock(thread) && lock_lasts(set, thread);
}

/* What is cheap to ask comes first. */
static bool all_last(const struct lge_thread_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (!seems_to_last(set->members[i].thread))
            return false;
    for (size_t i = 0; i < set->count; i++)
        if (!lasts(set, set->members[i].thread))
            return false;
    return lge_set_unchanged(set);
}

/* ---- what else there is ---- */

static bool spins(const struct lge_thread *thread) {
    return lge_waits_for_lock(thread) &&
           atomic_load_explicit(&thread->wait.lock_kind, memory_order_relaxed) == LGR_LOCK_SPIN;
}

enum lge_company lge_company_of(const struct lge_thread_set *set) {
    if (company == NULL)
        return LGE_ALONE;
    struct lge_sleeper *sleepers = lgp_alloc(set->count * sizeof *sleepers);
    if (sleepers == NULL)
        return LGE_IN_COMPANY;
    for (size_t i = 0; i < set->count; i++) {
        const struct lge_thread *thread = set->members[i].thread;
        sleepers[i] = (struct lge_sleeper){lge_thread_tid(thread), spins(thread), object_of(thread)};
    }
    enum lge_company found = company(sleepers, set->count);
    lgp_free(sleepers, set->count * sizeof *sleepers);
    return found;
}

/* ---- looking ---- */

static void nap(long ns) {
    struct timespec time = {.tv_nsec = ns};
    lgp_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&time, 0, 0, 0);
}

static bool gather(struct lge_thread_set *set) { return lge_set_add_everybody(set) && all_last(set); }

/* A thread that was given what it waited for says so as soon as it runs, within a
 * microsecond if it runs now: most of those who look too early find out here. */
static bool lasts_a_moment(const struct lge_thread_set *set) {
    enum { LOOKS = 200 };
    for (int i = 0; i < LOOKS; i++) {
        lgp_pause();
        if (!lge_set_unchanged(set))
            return false;
    }
    return true;
}

static bool all_stacked(const struct lge_thread_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (!atomic_load_explicit(&set->members[i].thread->wait.stacked, memory_order_acquire))
            return false;
    return true;
}

/* The destructors of one that leaves may want what the caller still holds. */
static bool patient(enum lge_company found, long waited) {
    return found != LGE_IN_COMPANY && waited <= (found == LGE_LEAVING ? 50 : 1000) * MILLISECOND;
}

/* Twice in a row, ten milliseconds apart. */
static bool settles(const struct lge_thread_set *set) {
    long waited = 0, pause = MILLISECOND;
    for (int quiet = 0; quiet < 2;) {
        enum lge_company found = lge_company_of(set);
        if (!patient(found, waited))
            return false;
        quiet = found == LGE_ALONE && all_stacked(set) ? quiet + 1 : 0;
        pause = quiet != 0 ? 10 * MILLISECOND : pause < 16 * MILLISECOND ? pause * 2 : pause;
        nap(pause);
        waited += pause;
        if (!all_last(set))
            return false;
    }
    return true;
}

/* ---- the report ---- */

/* Who signalled it last: a condition is often signalled before anybody waits. */
static void describe_signal(struct lge_finding_edge *edge) {
    uint32_t thread;
    uintptr_t site;
    if (edge->wait_kind != LGR_WAIT_CONDITION || last_signal == NULL ||
        !last_signal((const void *)(uintptr_t)edge->to, &thread, &site))
        return;
    edge->from = thread;
    edge->held_context = lge_context_intern(&site, 1, true);
}

static bool describe(struct lge_finding_edge *edge, const struct lge_thread *thread) {
    lge_edge_of_wait(edge, thread);
    lge_edge_at_condition(edge, thread);
    edge->since_realtime_ns = atomic_load_explicit(&thread->wait.since_ns, memory_order_relaxed);
    return lge_edge_copy_held(edge, thread);
}

/* Waits for whoever comes. */
static bool waits_for_anybody(const struct lge_thread *thread) {
    return atomic_load_explicit(&thread->wait.over, memory_order_relaxed) != NULL ||
           (at_semaphore(thread) &&
            (lge_semaphore_facts_of(lge_wait_target(thread)) & LGE_SEMAPHORE_SIGNAL) != 0);
}

static bool waits_for_hold_of(const struct lge_thread *thread, const struct lge_thread *holder) {
    const struct lge_thread *next;
    if (!lge_waits_for_lock(thread) || waits_for_anybody(thread))
        return false;
    for (uint32_t n = 0; (next = lge_waits_for(thread, n)) != NULL; n++)
        if (next == holder)
            return true;
    return false;
}

/* Two of them: the one holds in its wait what the other one waits for. */
static bool find_pair(const struct lge_thread_set *set, const struct lge_thread *pair[2]) {
    for (size_t i = 0; i < set->count; i++) {
        pair[0] = set->members[i].thread;
        if (lge_depth(pair[0]) == 0 || !waits_for_anybody(pair[0]))
            continue;
        for (size_t j = 0; j < set->count; j++) {
            pair[1] = set->members[j].thread;
            if (pair[1] != pair[0] && waits_for_hold_of(pair[1], pair[0]))
                return true;
        }
    }
    return false;
}

static bool describe_pair(struct lge_finding_edge *edges, const struct lge_thread *pair[2]) {
    if (!describe(&edges[0], pair[0]) || !describe(&edges[1], pair[1]))
        return false;
    lge_edge_wanted(&edges[0], lge_wait_target(pair[1]));
    return true;
}

static bool describe_all(struct lge_finding_edge *edges, size_t count, const struct lge_thread_set *set) {
    for (size_t i = 0; i < count; i++) {
        if (!describe(&edges[i], set->members[i].thread))
            return false;
        describe_signal(&edges[i]);
    }
    return true;
}

/* A semaphore that signals has no record of its own. */
static void obtain_semaphore(const struct lge_thread *thread) {
    struct lge_request request = {
        .address = object_of(thread), .id = lge_wait_target(thread), .kind = LGR_LOCK_SEMAPHORE};
    if (at_semaphore(thread))
        lge_lock_obtain(&request);
}

static void obtain_records(const struct lge_thread_set *set) {
    lge_table_lock();
    lge_threads_lock();
    for (size_t i = 0; i < set->count; i++) {
        lge_edge_obtain_records(set->members[i].thread);
        obtain_semaphore(set->members[i].thread);
    }
    lge_threads_unlock();
    lge_table_unlock();
}

static bool already_reported(const struct lge_thread_set *set) {
    bool reported = false;
    for (size_t i = 0; i < set->count; i++)
        reported |=
            atomic_exchange_explicit(&set->members[i].thread->wait.reported, 1, memory_order_relaxed) != 0;
    return reported;
}

static void tell(const struct lge_thread_set *set, struct lge_finding_edge *edges, size_t count, bool pair) {
    lge_graph_lock();
    if (lge_set_unchanged(set) && !already_reported(set)) {
        obtain_records(set);
        if (pair)
            lge_report_deadlock(edges, 2, false, 0);
        else
            lge_report_stall(edges, count);
    }
    lge_graph_unlock();
}

static void report(const struct lge_thread_set *set) {
    const struct lge_thread *both[2];
    size_t count = set->count < MOST_TOLD ? set->count : MOST_TOLD;
    struct lge_finding_edge *edges = lgp_alloc(count * sizeof *edges);
    if (edges == NULL)
        return;
    bool pair = find_pair(set, both);
    if (pair ? describe_pair(edges, both) : describe_all(edges, count, set))
        tell(set, edges, count, pair);
    lge_edges_free(edges, count);
}

/* Of the threads on a ring one at least holds something, or runs a once routine. */
static bool looks_for_rings(const struct lge_thread *thread) {
    uint32_t kind = lge_wait_kind(thread);
    if (kind == LGR_WAIT_ONCE)
        return true;
    return (kind == LGR_WAIT_LOCK || kind == LGR_WAIT_JOIN) && said(thread) == NULL && lge_depth(thread) != 0;
}

/* A ring is told as one also when the last thread to wait stands outside of it. */
static bool is_deadlock(const struct lge_thread_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (looks_for_rings(set->members[i].thread) && lge_deadlock_look_for(set->members[i].thread))
            return true;
    return false;
}

/* `thread`: the caller, when it waits; NULL when it has ended. */
static bool look(struct lge_thread *thread) {
    struct lge_thread_set set = {0};
    bool stalled = gather(&set) && lasts_a_moment(&set);
    if (stalled && thread != NULL)
        lge_wait_stack(thread);
    stalled = stalled && settles(&set);
    if (stalled && !is_deadlock(&set))
        report(&set);
    lge_set_free(&set);
    return stalled;
}

static bool wanted_at_all(void) {
    return lge_census_all_wait() && company != NULL && lge_kind_wanted(LGR_KIND_STALL);
}

bool lge_stall_look(struct lge_thread *thread) { return wanted_at_all() && look(thread); }

bool lge_stall_look_last(void) { return wanted_at_all() && look(NULL); }

bool lge_stall_near(void) {
    struct lge_thread_set set = {0};
    bool near = wanted_at_all() && gather(&set);
    lge_set_free(&set);
    return near;
}
