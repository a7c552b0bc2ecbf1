#include "engine/engine.h"

#include "engine/adaptive.h"
#include "engine/author.h"
#include "engine/check.h"
#include "engine/collect.h"
#include "engine/context.h"
#include "engine/cycle.h"
#include "engine/deadlock.h"
#include "engine/declared_order.h"
#include "engine/destroyed.h"
#include "engine/evidence.h"
#include "engine/file_hold.h"
#include "engine/finding.h"
#include "engine/graph.h"
#include "engine/hold_times.h"
#include "engine/hot_path.h"
#include "engine/identity.h"
#include "engine/level.h"
#include "engine/level_name.h"
#include "engine/lifecycle.h"
#include "engine/lock_class.h"
#include "engine/lock_note.h"
#include "engine/operation.h"
#include "engine/orphan.h"
#include "engine/overdue.h"
#include "engine/past.h"
#include "engine/search.h"
#include "engine/semaphore.h"
#include "engine/signal.h"
#include "engine/stall.h"
#include "engine/survivor.h"
#include "engine/timeline.h"
#include "engine/trace.h"
#include "engine/usage.h"
#include "engine/wait.h"
#include "engine/wait_for.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

/* ---- life ---- */

static struct lge_config last_config;

void lge_start_again(void) { lge_start(&last_config); }

void lge_start(const struct lge_config *config) {
    last_config = *config;
    lge_context_start(config->stack_depth, config->max_memory / 4);
    lge_search_start(config->search_budget);
    lge_findings_start(config);
    lge_check_start(config);
    lge_cycle_start();
    lge_waits_start(config->recording);
    lge_wait_for_start(config);
    lge_overdue_start(config);
    lge_overlong_start(config);
    lge_trace_start(config);
    lge_timeline_start(config);
    lge_stall_start(config);
    lge_collect_start(config);
    lge_identity_start();
    lge_semaphores_start(config);
    lge_hold_times_start(config);
    lge_adaptive_start(config);
}

void lge_finish(void) { lge_cycle_finish(); }

void lge_reset(void) {
    lge_check_reset();
    lge_cycle_reset();
    lge_collect_reset();
    lge_findings_reset();
    lge_search_reset();
    lge_threads_reset();
    lge_survivor_reset();
    lge_graph_reset();
    lge_authors_reset();
    lge_classes_reset();
    lge_levels_reset();
    lge_level_names_reset();
    lge_declared_orders_reset();
    lge_notes_reset();
    lge_contexts_reset();
    lge_deadlock_reset();
    lge_waits_reset();
    lge_evidence_reset();
    lge_identity_reset();
    lge_destroyed_reset();
    lge_semaphores_reset();
    lge_file_holds_reset();
    lge_file_locks_reset();
    lge_signals_reset();
    lge_orphans_reset();
    lge_hold_times_reset();
    lge_usages_reset();
    lge_timeline_reset();
    lge_operations_reset();
    lge_adaptive_reset();
}

/* ---- orders other than create and join ---- */

struct lge_sync {
    struct lgp_lock lock;
    struct lge_past *past;
};

struct lge_sync *lge_sync_new(void) {
    return lgp_alloc(sizeof(struct lge_sync));
}

void lge_sync_free(struct lge_sync *sync) {
    lge_past_drop(sync->past);
    lgp_free(sync, sizeof *sync);
}

/* When the thread's last dependency was made; 0: none.  What it did since, along
 * known chains, left nothing that could be ordered. */
static uint32_t last_stamp(const struct lge_thread *thread) {
    if (!thread->has_dependencies)
        return 0;
    return thread->last_dependency != NULL ? thread->last_dependency->time : thread->time;
}

static bool includes(const struct lge_past *past, uint32_t serial, uint32_t time) {
    const struct lge_past_entry *known = lge_past_find(past, serial);
    return time == 0 || (known != NULL && known->time >= time);
}

static unsigned bits(const struct lge_past *past) {
    return past == NULL ? 0 : 32 - (unsigned)__builtin_clz(past->count | 1);
}

/* Where threads come and go, what is handed on would name all there ever were:
 * pruned each time it has doubled. */
static struct lge_past *handed_on(const struct lge_past *before, struct lge_past *past) {
    enum { FEW = 32 };
    return past != NULL && past->count >= FEW && bits(past) > bits(before) ? lge_past_prune(past) : past;
}

/* A thread that has nothing new to tell, as most who hand over again and again,
 * makes nothing, and stays in its epoch. */
void lge_sync_release(struct lge_thread *thread, struct lge_sync *sync) {
    uint32_t stamp = last_stamp(thread), serial = lge_thread_serial(thread);
    lgp_lock(&sync->lock);
    struct lge_past *past = lge_past_join(sync->past, thread->past, LGR_REASON_NONE, 0);
    if (!includes(past, serial, stamp)) {
        struct lge_past *with = lge_past_with(past, serial, stamp, LGR_REASON_NONE, 0);
        lge_past_drop(past);
        past = with;
    }
    past = handed_on(sync->past, past);
    lge_past_drop(sync->past);
    sync->past = past;
    lgp_unlock(&sync->lock);
    if (stamp == thread->time) {
        thread->time++;
        thread->epoch++;
    }
}

void lge_sync_acquire(struct lge_thread *thread, struct lge_sync *sync, enum lgr_reason kind) {
    lgp_lock(&sync->lock);
    struct lge_past *past = lge_past_join(thread->past, sync->past, kind, 0);
    lgp_unlock(&sync->lock);
    if (past != thread->past)
        thread->epoch++;
    past = handed_on(thread->past, past);
    lge_past_drop(thread->past);
    thread->past = past;
}

/* ---- holds ---- */

/* A lock that its holder cannot take again was unlocked by another thread:
 * misuse, but the hold is gone. */
static void drop_stale_hold(struct lge_thread *thread, const struct lge_request *request) {
    bool single = request->kind == LGR_LOCK_MUTEX || request->kind == LGR_LOCK_SPIN;
    if (single && !(request->flags & LGE_RECURSIVE) && lge_holds(thread, request->address))
        lge_released(thread, request->address);
}

void lge_acquired(struct lge_thread *thread, const struct lge_request *request) {
    drop_stale_hold(thread, request);
    if (thread->top == thread->last && !lge_thread_grow(thread))
        return;
    uint64_t key = lge_chain_key(thread->top->key, request->id, request->mode,
                                 lge_place(request->site, request->context));
    lge_hold(thread, key, request->id, request->address, request->site, request->sp, request->context,
             request->mode, request->kind, request->attributes & LGE_HELD_LOCKS_OWN,
             thread->top != thread->base);
    if (lge_clocked())
        lge_trace_acquired(thread);
    else if (lge_timing != 0)
        lge_hold_begins(thread->top);
    if (atomic_load_explicit(&lge_signals_handled, memory_order_relaxed) != 0)
        lge_signal_acquired(thread, request);
    if (atomic_load_explicit(&lge_orphans, memory_order_relaxed) != 0)
        lge_orphan_class_used(thread, request);
}

bool lge_released(struct lge_thread *thread, const void *address) { return lge_pop(thread, address, NULL); }

bool lge_holds(const struct lge_thread *thread, const void *address) {
    return lge_newest_hold(thread, address) != NULL;
}

size_t lge_held_count(const struct lge_thread *thread) { return lge_depth(thread); }

void lge_figures(struct lge_figures *figures) {
    *figures = (struct lge_figures){
        .locks = lge_identity_count(),
        .threads = lge_threads_count(),
        .nested = lge_threads_nested(),
        .contended = lge_waits_contended(),
        .dependencies = lge_dependency_count(),
        .contexts = lge_context_count(),
        .degraded = lge_degraded(),
        .unwrapped = lge_unwrapped(),
    };
    lge_graph_lock();
    lge_table_lock();
    figures->edges = lge_edges_seen(false);
    figures->class_edges = lge_edges_seen(true);
    figures->findings = lge_findings_count();
    figures->reorders = lge_order_moves();
    lge_search_figures(&figures->searches, &figures->search_steps);
    lge_table_unlock();
    lge_graph_unlock();
}
