#include "engine/resting.h"

#include <string.h>

#include "engine/semaphore.h"
#include "engine/wait_edge.h"
#include "platform/memory.h"

static bool is_ring(const struct lge_finding *finding) {
    return finding->kind == LGR_KIND_ORDER_CYCLE || finding->kind == LGR_KIND_DEADLOCK ||
           finding->kind == LGR_KIND_SELF_DEADLOCK;
}

/* That `from` of its edges is held is what it says. */
static bool is_of_holds(const struct lge_finding *finding) {
    return is_ring(finding) || finding->kind == LGR_KIND_WAIT_TIMEOUT ||
           finding->kind == LGR_KIND_HOLD_TOO_LONG || finding->kind == LGR_KIND_BLOCKED_UNDER_LOCK;
}

static bool rests(const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (lge_semaphore_slots(finding->edges[i].from) != 0)
            return is_of_holds(finding);
    return false;
}

bool lge_resting_on(const struct lge_finding *copy, uint64_t semaphore) {
    for (size_t i = 0; i < copy->edge_count; i++)
        if (copy->edges[i].from == semaphore)
            return true;
    return false;
}

static bool copy_edge(struct lge_finding_edge *to, const struct lge_finding_edge *from) {
    struct lgr_held *held = lgp_alloc((from->held_count + 1) * sizeof *held);
    *to = *from;
    to->held = held;
    if (held != NULL && from->held_count != 0)
        memcpy(held, from->held, from->held_count * sizeof *held);
    return held != NULL;
}

static struct lge_finding_edge *copy_edges(const struct lge_finding *finding) {
    struct lge_finding_edge *edges = lgp_alloc(finding->edge_count * sizeof *edges);
    for (size_t i = 0; edges != NULL && i < finding->edge_count; i++)
        if (!copy_edge(&edges[i], &finding->edges[i])) {
            lge_edges_free(edges, finding->edge_count);
            return NULL;
        }
    return edges;
}

struct lge_finding *lge_resting_copy(const struct lge_finding *finding) {
    if (finding->severity == LGR_NOTE || !rests(finding))
        return NULL;
    struct lge_finding *copy = lgp_alloc(sizeof *copy);
    struct lge_finding_edge *edges = copy == NULL ? NULL : copy_edges(finding);
    if (edges != NULL) {
        *copy = *finding;
        copy->edges = edges;
    } else if (copy != NULL) {
        lgp_free(copy, sizeof *copy);
    }
    return edges == NULL ? NULL : copy;
}

static bool of_locks_only(const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].wait_kind != LGR_WAIT_LOCK || finding->edges[i].from == 0)
            return false;
    return finding->edge_count > 1;
}

void lge_resting_lower(struct lge_finding *copy) {
    copy->severity = LGR_NOTE;
    if (!is_ring(copy))
        return;
    copy->verdict = LGR_VERDICT_ORDERED;
    copy->reason_kind = LGR_REASON_SEMAPHORE;
    copy->reason_id = 0;
    copy->timed = false;
    if (of_locks_only(copy))
        copy->kind = LGR_KIND_ORDER_CYCLE;
}

void lge_resting_free(struct lge_finding *copy) {
    if (copy == NULL)
        return;
    lge_edges_free((struct lge_finding_edge *)(uintptr_t)copy->edges, copy->edge_count);
    lgp_free(copy, sizeof *copy);
}
