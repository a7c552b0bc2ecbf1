#include "reread_words.h"

#include "stacks.h"

bool is_reread(const struct model_finding *finding) {
    const struct model_edge *edge = finding->edges;
    return finding->kind == LGR_KIND_ORDER_CYCLE && finding->edge_count == 1 && edge->from &&
           edge->from == edge->to && edge->shared_from && edge->shared_to;
}

static const char *writer(const struct model_finding *finding, const char *otherwise) {
    bool known = finding->reason == LGR_REASON_QUEUE && finding->reason_thread;
    return known ? finding->reason_thread->label : otherwise;
}

static bool may_hang(const struct model_finding *finding) {
    return finding->verdict == LGR_VERDICT_FEASIBLE || finding->verdict == LGR_VERDICT_TIMED;
}

static void add_steps(struct pool *pool, struct model_finding *finding) {
    const struct model_edge *edge = finding->edges;
    const char *first = frame_place(pool, stack_site(&edge->held_at));
    const char *again = frame_place(pool, stack_site(&edge->requested_at));
    const char *tag = edge->thread->tag, *lock = edge->from_label;
    finding->steps = pool_array(pool, 3, sizeof *finding->steps);
    finding->steps[0] = pool_printf(pool, "%s reads %s at %s", tag, lock, first);
    finding->steps[1] =
        pool_printf(pool, "%s wants to write %s, and waits for %s", writer(finding, "a writer"), lock, tag);
    finding->steps[2] =
        pool_printf(pool, "%s reads %s again at %s, and waits behind the writer: %s", tag, lock, again,
                    finding->verdict == LGR_VERDICT_TIMED ? "they stall until a time limit ends it"
                                                          : "neither ever goes on");
    finding->step_count = 3;
    finding->steps_heading = "How it hangs";
}

void narrate_reread(struct pool *pool, struct model_finding *finding) {
    const struct model_edge *edge = finding->edges;
    const char *lock = edge->from_label;
    finding->title = pool_printf(pool, "%s reads %s again while it reads it, where writers are preferred",
                                 edge->thread->label, lock);
    if (finding->verdict == LGR_VERDICT_FEASIBLE)
        finding->why =
            pool_printf(pool,
                        "%s writes %s, no lock keeps it from coming between, and later readers queue "
                        "behind a writer who waits",
                        writer(finding, "another thread"), lock);
    finding->advice =
        pool_printf(pool,
                    "do not read %s again at %s: split off the part that runs while it is read, or "
                    "initialise it to prefer readers",
                    lock, frame_place(pool, stack_site(&edge->requested_at)));
    if (may_hang(finding))
        add_steps(pool, finding);
}
