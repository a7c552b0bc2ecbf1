#include "edge_stacks.h"

#include "misuse_words.h"
#include "stall_words.h"

static void add(struct labelled_stacks *stacks, const struct stack *stack, const char *label) {
    stacks->list[stacks->count++] = (struct labelled_stack){label, stack};
}

/* The wrong call; the earlier place is told with the thread whose it is. */
static void add_misuse(struct pool *pool, const struct model_finding *finding, const struct model_edge *edge,
                       struct labelled_stacks *stacks) {
    bool call = edge == finding->edges;
    const char *lock = edge->from ? pool_printf(pool, "%s was ", edge->from_label) : "";
    const char *subject = finding->kind == LGR_KIND_HEARTBEAT_MISSED ? "" : lock; /* not of the lock */
    if (call)
        add(stacks, &edge->requested_at, pool_printf(pool, "%s%s", subject, misuse_call(finding)));
    /* Levels: where the lock in the way was taken, not the one that is wanted. */
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION && edge->to)
        lock = pool_printf(pool, "%s was ", edge->to_label);
    bool earlier = edge->from || edge->held_at.count;
    if (earlier && call == (finding->edge_count == 1) && (edge->held_at.count || !call))
        add(stacks, &edge->held_at, pool_printf(pool, "%s%s", lock, misuse_earlier(finding)));
}

static void add_stall(struct pool *pool, const struct model_finding *finding, const struct model_edge *edge,
                      struct labelled_stacks *stacks) {
    add(stacks, &edge->requested_at, "waiting");
    for (size_t i = 0; i < edge->held_count; i++)
        add(stacks, &edge->held[i].taken_at,
            pool_printf(pool, "%s was taken", edge->held[i].lock->short_name));
    if (stall_tells_signal(finding, edge))
        add(stacks, &edge->held_at,
            pool_printf(pool, "%s was last signalled, by %s,", edge->to_label, edge->signaller->label));
}

static void add_ring(struct pool *pool, const struct model_finding *finding, const struct model_edge *edge,
                     struct labelled_stacks *stacks) {
    bool waits = finding->verdict == LGR_VERDICT_ACTUAL;
    if (edge->from)
        add(stacks, &edge->held_at, pool_printf(pool, "%s was taken", edge->from_label));
    if (edge->joined)
        add(stacks, &edge->requested_at,
            pool_printf(pool, "waiting for %s %s", edge->to_label, edge_until(edge)));
    else
        add(stacks, &edge->requested_at,
            pool_printf(pool, waits ? "waiting for %s" : "%s was requested", edge->to_label));
}

struct labelled_stacks edge_stacks(struct pool *pool, const struct model_finding *finding,
                                   const struct model_edge *edge) {
    struct labelled_stacks stacks = {
        .list = pool_array(pool, edge->held_count + 2, sizeof(struct labelled_stack))};
    (is_misuse(finding)  ? add_misuse
     : is_stall(finding) ? add_stall
                         : add_ring)(pool, finding, edge, &stacks);
    return stacks;
}
