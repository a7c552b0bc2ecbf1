#include "engine/wait_edge.h"

#include "engine/graph.h"
#include "engine/wait_for.h"
#include "platform/memory.h"

bool lge_waits_for_condition(const struct lge_thread *thread) {
    uint32_t kind = lge_wait_kind(thread);
    return kind == LGR_WAIT_CONDITION ||
           (kind == LGR_WAIT_LOCK && atomic_load_explicit(&thread->wait.over, memory_order_relaxed) != NULL);
}

/* It may have begun later than the wait. */
static uint32_t runner_of(const struct lge_wait *wait) {
    const struct lge_thread *runner =
        lge_runs_once(atomic_load_explicit(&wait->address, memory_order_relaxed));
    return runner == NULL ? 0 : lge_thread_serial(runner);
}

void lge_edge_of_wait(struct lge_finding_edge *edge, const struct lge_thread *thread) {
    const struct lge_wait *wait = &thread->wait;
    edge->thread = lge_thread_serial(thread);
    edge->wait_kind = (uint8_t)atomic_load_explicit(&wait->kind, memory_order_relaxed);
    edge->to = atomic_load_explicit(&wait->target, memory_order_relaxed);
    if (edge->wait_kind == LGR_WAIT_ONCE)
        edge->to = runner_of(wait);
    edge->to_class = edge->wait_kind == LGR_WAIT_LOCK ? lge_lock_class(edge->to) : 0;
    edge->request_context = atomic_load_explicit(&wait->context, memory_order_relaxed);
    edge->mode_to = (uint8_t)atomic_load_explicit(&wait->mode, memory_order_relaxed);
    edge->timed = atomic_load_explicit(&wait->timed, memory_order_relaxed) != 0;
}

void lge_edge_at_condition(struct lge_finding_edge *edge, const struct lge_thread *thread) {
    if (!lge_waits_for_condition(thread))
        return;
    edge->wait_kind = LGR_WAIT_CONDITION;
    edge->to = (uintptr_t)atomic_load_explicit(&thread->wait.address, memory_order_relaxed);
    edge->to_class = 0;
}

bool lge_edge_copy_held(struct lge_finding_edge *edge, const struct lge_thread *thread) {
    lge_threads_lock(); /* should it wait no more: no stack is replaced meanwhile */
    size_t depth = lge_depth(thread);
    struct lgr_held *held = lgp_alloc((depth + 1) * sizeof *held);
    for (size_t i = 0; held != NULL && i < depth; i++) {
        const struct lge_held *at = &thread->base[i + 1];
        held[i] = (struct lgr_held){at->id, at->context, at->mode};
    }
    lge_threads_unlock();
    edge->held = held;
    edge->held_count = held == NULL ? 0 : (uint32_t)depth;
    return held != NULL;
}

void lge_edge_wanted(struct lge_finding_edge *edge, uint64_t lock) {
    for (uint32_t i = 0; i < edge->held_count; i++) {
        if (edge->held[i].lock != lock)
            continue;
        edge->from = lock;
        edge->from_class = lge_lock_class(lock);
        edge->held_context = edge->held[i].context;
        edge->mode_from = (uint8_t)edge->held[i].mode;
    }
}

void lge_edges_free(struct lge_finding_edge *edges, size_t room) {
    for (size_t i = 0; i < room; i++)
        if (edges[i].held != NULL)
            lgp_free((void *)(uintptr_t)edges[i].held, (edges[i].held_count + 1) * sizeof *edges[i].held);
    lgp_free(edges, room * sizeof *edges);
}

void lge_edge_obtain_records(const struct lge_thread *thread) {
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        lge_lock_obtain_held(held);
}
