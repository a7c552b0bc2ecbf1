/* The check of a request: insert its dependencies, look for the cycles they
 * close.  This is the path of a chain seen for the first time by a thread (or
 * of a watched one); a known chain never gets here. */
#include "engine/check.h"
#include "engine/lifecycle.h"

#include "engine/collect.h"
#include "engine/context.h"
#include "engine/cycle.h"
#include "engine/declared_order.h"
#include "engine/evidence.h"
#include "engine/file_hold.h"
#include "engine/finding.h"
#include "engine/known.h"
#include "engine/level.h"
#include "engine/lock_class.h"
#include "engine/map.h"
#include "engine/orphan.h"
#include "engine/semaphore.h"
#include "engine/signal.h"
#include "engine/trace.h"
#include "engine/writers.h"
#include "platform/memory.h"

static _Atomic uint32_t degraded;  /* enum lgr_degraded bits; relaxed */
static _Atomic uint64_t unwrapped; /* events that left no evidence; relaxed */
static bool recording;

void lge_check_start(const struct lge_config *config) { recording = config->recording; }
uint32_t lge_degraded(void) { return atomic_load_explicit(&degraded, memory_order_relaxed); }
uint64_t lge_unwrapped(void) { return atomic_load_explicit(&unwrapped, memory_order_relaxed); }
void lge_count_unwrapped(void) { atomic_fetch_add_explicit(&unwrapped, 1, memory_order_relaxed); }
void lge_degrade(uint32_t bit) { atomic_fetch_or_explicit(&degraded, bit, memory_order_relaxed); }

/* ---- edges ---- */

/* Edges became watched.  Whoever checked them before that holds the table lock
 * until its key is in its cache; whoever checks later sees the mark. */
static void forget_known_chains(void) {
    lge_table_lock();
    lge_known_clear_all();
    lge_table_unlock();
}

/* A new edge whose ends both have a place. */
static void insert_in_order(struct lge_edge *edge, struct lge_dependency *dependency) {
    enum lge_order_result result = lge_order_insert(edge->from, edge->to);
    if (result == LGE_ORDER_MERGED)
        forget_known_chains();
    if (result != LGE_ORDER_MERGED && result != LGE_ORDER_WITHIN)
        return;
    lge_watch(edge);
    lge_cycle_look(edge, dependency);
}

/* ---- one dependency, with both locks ---- */

/* Whether every edge this needs can be had under the table lock alone: to a
 * leaf, or there already and not watched. */
static bool simple(const struct lge_thread *thread, const struct lge_lock *to) {
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++) {
        struct lge_lock *from = lge_lock_find(held->id);
        if (from == NULL || !from->node.placed)
            return false;
        if (!to->node.placed)
            continue;
        struct lge_edge *edge = lge_edge_find(&from->node, &to->node);
        if (edge == NULL || lge_watched(edge))
            return false;
    }
    return true;
}

static void insert_simple(struct lge_lock *to, struct lge_dependency *dependency) {
    for (uint32_t i = 0; i < dependency->held_count; i++) {
        struct lge_lock *from = lge_lock_find(dependency->held[i].lock);
        struct lge_edge *edge = lge_edge_find(&from->node, &to->node);
        if (edge == NULL)
            edge = lge_edge_add(&from->node, &to->node);
        if (edge != NULL)
            lge_edge_attach(edge, dependency);
    }
}

/* Under the graph lock: one edge of a dependency; true when it is watched. */
static bool insert_edge(const struct lge_held *held, const struct lge_request *request,
                        struct lge_dependency *dependency) {
    lge_table_lock();
    struct lge_lock *from = lge_lock_obtain_held(held), *to = lge_lock_obtain(request);
    bool known = from != NULL && to != NULL;
    struct lge_edge *edge = known ? lge_edge_find(&from->node, &to->node) : NULL;
    bool fresh = known && edge == NULL;
    if (fresh) {
        lge_node_promote(&from->node);
        edge = lge_edge_add(&from->node, &to->node);
    }
    bool changed = edge != NULL && lge_edge_attach(edge, dependency);
    /* What has a place stays while we have the graph lock; a leaf may be
     * collected as soon as the table lock is given back. */
    bool stays = edge != NULL && to->node.placed;
    lge_table_unlock();
    if (!stays)
        return false;
    if (changed && fresh)
        insert_in_order(edge, dependency);
    else if (changed && lge_watched(edge))
        lge_cycle_look(edge, dependency);
    return lge_watched(edge);
}

static bool insert_ordered(const struct lge_thread *thread, const struct lge_request *request,
                           struct lge_dependency *dependency) {
    bool watched = false;
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (insert_edge(held, request, dependency))
            watched = true;
    return watched;
}

/* ---- classes ---- */

/* Pairs of classes, modes and contexts in the evidence file; graph lock. */
static struct lge_map written;
static char present;

static void write_edge(const struct lgr_held *held, uint64_t to_lock, const struct lge_dependency *dependency,
                       uint64_t key) {
    if (!recording || lge_map_get(&written, key) != NULL)
        return;
    lge_map_add(&written, key, &present);
    lge_evidence_edge(held->lock, to_lock, held, dependency);
}

void lge_check_new_file(void) { lge_map_clear(&written); }

/* A guessed class never supports more than a note, and much noise: those stay
 * out of the class graph. */
static bool has_role(const struct lge_class *class) {
    return class != NULL && class->kind != LGR_CLASS_GUESS;
}

static void insert_class_edge(const struct lgr_held *held, uint64_t to_lock,
                              struct lge_dependency *dependency) {
    struct lge_class *from = lge_class_get(lge_lock_class(held->lock));
    struct lge_class *to = lge_class_get(lge_lock_class(to_lock));
    if (!has_role(from) || !has_role(to) || from == to)
        return;
    struct lge_edge *edge = lge_edge_find(&from->node, &to->node);
    bool fresh = edge == NULL;
    if (fresh) {
        lge_node_promote(&from->node);
        lge_node_promote(&to->node);
        edge = lge_edge_add(&from->node, &to->node);
    }
    if (edge == NULL || !lge_edge_attach(edge, dependency))
        return;
    if (fresh)
        insert_in_order(edge, dependency);
    else if (lge_watched(edge))
        lge_cycle_look(edge, dependency);
}

/* Once per thread for each pair of classes, modes and contexts. */
static void check_classes(struct lge_thread *thread, uint64_t to_lock, struct lge_dependency *dependency) {
    uint64_t request =
        lge_mix((uint64_t)dependency->context << 8 | (uint64_t)dependency->flags << 1 | dependency->mode,
                lge_lock_class(to_lock));
    for (uint32_t i = 0; i < dependency->held_count; i++) {
        const struct lgr_held *held = &dependency->held[i];
        uint64_t key = lge_mix(request, (uint64_t)held->context << 33 | (uint64_t)held->mode << 32 |
                                            lge_lock_class(held->lock));
        if (lge_recent(thread, key))
            continue;
        lge_graph_lock();
        write_edge(held, to_lock, dependency, key);
        insert_class_edge(held, to_lock, dependency);
        lge_graph_unlock();
        lge_recent_insert(thread, key);
    }
}

/* ---- the event ---- */

void lge_check_records(struct lge_thread *thread) {
    if (!thread->has_dependencies && recording)
        lge_evidence_thread(thread);
    thread->has_dependencies = true;
}

static bool holds_id(const struct lge_thread *thread, uint64_t id) {
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (held->id == id)
            return true;
    return false;
}

static uint64_t with_epoch(uint64_t key, const struct lge_thread *thread) {
    return lge_mix(key, thread->epoch);
}

/* The system gives no more memory. */
static void out_of_memory(void) {
    lge_degrade(LGR_DEGRADED_MEMORY);
    lge_count_unwrapped();
}

/* True when some edge of the chain is watched. */
static bool insert(struct lge_thread *thread, const struct lge_request *request,
                   struct lge_dependency *dependency, uint64_t key) {
    lge_table_lock();
    struct lge_lock *to = lge_lock_obtain(request);
    bool done = to != NULL && simple(thread, to);
    if (done) {
        insert_simple(to, dependency);
        lge_known_insert(thread, thread->top->key, key);
    }
    lge_table_unlock();
    if (to == NULL)
        out_of_memory();
    if (done || to == NULL)
        return false;
    lge_graph_lock();
    bool watched = insert_ordered(thread, request, dependency);
    /* No edge can become watched meanwhile: that takes the graph lock. */
    if (!watched)
        lge_known_insert(thread, thread->top->key, key);
    lge_graph_unlock();
    return watched;
}

/* We are in a signal handler that came while a hold was being written down: its
 * entry says nothing yet.  What a handler itself holds above it is little. */
static bool interrupted(const struct lge_thread *thread) {
    enum { MOST = 64 };
    const struct lge_held *end = lge_depth(thread) < MOST ? thread->base : thread->top - MOST;
    for (const struct lge_held *held = thread->top; held > end; held--)
        if (held->address == NULL)
            return true;
    return false;
}

void lge_check(struct lge_thread *thread, const struct lge_request *request) {
    atomic_thread_fence(memory_order_acquire); /* the id is from a tag: identity.h */
    if (lge_tracing())
        lge_trace_requested(thread, request);
    if (thread->handlers.depth != 0)
        lge_signal_requested(thread, request);
    if (atomic_load_explicit(&lge_orphans, memory_order_relaxed) != 0)
        lge_orphan_requested(thread, request);
    lge_semaphore_drop_stale(thread);
    lge_file_holds_drop_stale(thread);
    bool whole = !interrupted(thread);
    lge_writer_requested(thread, request, whole);
    if (thread->top == thread->base || !whole)
        return;
    uint64_t key = lge_chain_key(thread->top->key, request->id, request->mode,
                                 lge_place(request->site, request->context));
    if (lge_known_crowded(thread, thread->top->key, key) || lge_recent(thread, with_epoch(key, thread)))
        return;
    if (holds_id(thread, request->id)) {
        /* Else it hangs, or another thread gave the lock up: lge_acquired sees. */
        if (request->flags & LGE_RECURSIVE)
            lge_known_insert(thread, thread->top->key, key);
        else
            lge_reread_requested(thread, request);
        return;
    }
    if (!lge_collect_room()) {
        lge_count_unwrapped();
        return;
    }
    if (atomic_load_explicit(&lge_levels_unchecked, memory_order_relaxed))
        lge_level_requested(thread, request);
    if (atomic_load_explicit(&lge_orders_declared, memory_order_relaxed))
        lge_declared_order_requested(thread, request);
    uint32_t context = lge_context_resolve(thread, request->site, request->sp);
    if (request->context != 0)
        context = request->context;
    struct lge_dependency *dependency = lge_dependency_make(thread, request, context);
    if (dependency == NULL) {
        out_of_memory();
        return;
    }
    lge_check_records(thread);
    if (insert(thread, request, dependency, key))
        lge_recent_insert(thread, with_epoch(key, thread));
    check_classes(thread, request->id, dependency);
    lge_dependency_drop(dependency);
}

void lge_check_reset(void) {
    lge_map_clear(&written);
    atomic_store_explicit(&unwrapped, 0, memory_order_relaxed);
    atomic_store_explicit(&degraded, 0, memory_order_relaxed);
}

struct lgp_part lge_written_edges_part(void) {
    return (struct lgp_part){NULL, &written, sizeof written};
}