/* What every finding must satisfy, whatever the case expects: a second opinion
 * on each, from the finding's own evidence. */
#include "scenario.h"

static enum lgr_severity due_severity(enum lgr_verdict verdict) {
    switch (verdict) {
    case LGR_VERDICT_ACTUAL:
    case LGR_VERDICT_CONFIRMED:
    case LGR_VERDICT_FEASIBLE:
        return LGR_ERROR;
    case LGR_VERDICT_TIMED:
    case LGR_VERDICT_CLASS_PATTERN:
    case LGR_VERDICT_ACROSS_RUNS:
        return LGR_WARNING;
    default:
        return LGR_NOTE;
    }
}

static const struct lge_finding_edge *after(const struct seen_finding *finding, size_t edge) {
    return &finding->edges.at[(edge + 1) % finding->edges.count];
}

static bool holds(const struct lge_finding_edge *edge, uint64_t lock, uint8_t mode) {
    for (size_t i = 0; i < edge->held_count; i++) {
        if (edge->held[i].lock == lock && edge->held[i].mode == mode) {
            return true;
        }
    }
    return false;
}

/* The ring closes: by instance, or for order cycles between classes by class. */
static void audit_ring(struct world *world, const struct seen_finding *finding) {
    for (size_t i = 0; i < finding->edges.count; i++) {
        const struct lge_finding_edge *edge = &finding->edges.at[i], *next = after(finding, i);
        bool for_anybody = edge->wait_kind == LGR_WAIT_CONDITION || edge->wait_kind == LGR_WAIT_BARRIER;
        if (for_anybody) {
            continue;
        }
        if (edge->wait_kind == LGR_WAIT_JOIN ? edge->to != next->thread
                                             : edge->to != next->from && edge->to_class != next->from_class) {
            seen_error(&world->seen, "problem %u: edge %zu does not lead to the next one",
                       finding->head.problem, i);
        }
        if (edge->from && edge->from_class != lge_lock_class(edge->from)) {
            seen_error(&world->seen, "problem %u: edge %zu names a wrong class", finding->head.problem, i);
        }
        if (edge->from && !holds(edge, edge->from, edge->mode_from)) {
            seen_error(&world->seen, "problem %u: edge %zu does not hold what it starts from",
                       finding->head.problem, i);
        }
    }
}

static void audit_instances(struct world *world, const struct seen_finding *finding) {
    for (size_t i = 0; i < finding->edges.count; i++) {
        if (finding->edges.at[i].to != after(finding, i)->from) {
            seen_error(&world->seen, "problem %u is feasible between different instances",
                       finding->head.problem);
        }
    }
}

/* The lock held around both, not shared by both; 0: none. */
static uint64_t common_gate(const struct lge_finding_edge *one, const struct lge_finding_edge *other) {
    for (size_t i = 0; i < one->held_count; i++) {
        for (size_t j = 0; j < other->held_count; j++) {
            if (one->held[i].lock == other->held[j].lock &&
                (one->held[i].mode != LGR_SHARED || other->held[j].mode != LGR_SHARED)) {
                return one->held[i].lock;
            }
        }
    }
    return 0;
}

static void audit_pair(struct world *world, const struct seen_finding *finding, size_t i, size_t j) {
    const struct lge_finding_edge *one = &finding->edges.at[i], *other = &finding->edges.at[j];
    if (one->thread == other->thread) {
        seen_error(&world->seen, "problem %u: one thread has two parts in a feasible cycle",
                   finding->head.problem);
    }
    uint64_t gate = common_gate(one, other);
    if (gate && !world_lock_object(world, gate)->counts) {
        seen_error(&world->seen, "problem %u: %s is a gate in a feasible cycle", finding->head.problem,
                   world_lock_name(world, gate));
    }
}

/* Two readers meet only where a writer may stand between them. */
static void audit_modes(struct world *world, const struct seen_finding *finding, size_t i) {
    const struct lge_finding_edge *edge = &finding->edges.at[i];
    const struct object *lock = world_lock_object(world, edge->to);
    if (edge->mode_to == LGR_SHARED && after(finding, i)->mode_from == LGR_SHARED && lock &&
        !lock->prefer_writer && !lock->counts) {
        seen_error(&world->seen, "problem %u: two readers of %s block each other", finding->head.problem,
                   lock->name);
    }
}

/* Where readers meet, it may be the writer between them who gives up. */
static bool readers_meet(const struct seen_finding *finding) {
    for (size_t i = 0; i < finding->edges.count; i++) {
        if (finding->edges.at[i].mode_to == LGR_SHARED && after(finding, i)->mode_from == LGR_SHARED) {
            return true;
        }
    }
    return false;
}

static void audit_feasible(struct world *world, const struct seen_finding *finding) {
    bool timed = false;
    audit_instances(world, finding);
    for (size_t i = 0; i < finding->edges.count; i++) {
        timed = timed || finding->edges.at[i].timed;
        audit_modes(world, finding, i);
        for (size_t j = i + 1; j < finding->edges.count; j++) {
            audit_pair(world, finding, i, j);
        }
    }
    bool graded_timed = finding->head.verdict == LGR_VERDICT_TIMED;
    if (timed != graded_timed && !(graded_timed && readers_meet(finding))) {
        seen_error(&world->seen, "problem %u: verdict and timed edges disagree", finding->head.problem);
    }
}

/* A gate that is named must be held around two of the edges. */
static void audit_gated(struct world *world, const struct seen_finding *finding) {
    size_t around = 0;
    for (size_t i = 0; i < finding->edges.count; i++) {
        const struct lge_finding_edge *edge = &finding->edges.at[i];
        around += holds(edge, finding->head.reason_id, LGR_EXCLUSIVE) ||
                  holds(edge, finding->head.reason_id, LGR_SHARED);
    }
    size_t parts = finding->edges.count == 1 ? 1 : 2; /* a writer has no edge */
    if (finding->head.reason_kind == LGR_REASON_GATE && around < parts) {
        seen_error(&world->seen, "problem %u: the gate is not held around two edges", finding->head.problem);
    }
}

/* Every thread that has not ended hangs, and is named. */
static void audit_stall(struct world *world, const struct seen_finding *finding) {
    size_t alive = 0;
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        alive += world->threads[i].started && !world->threads[i].ended;
        if (world->threads[i].started && !world->threads[i].ended && !world_stuck(world, i)) {
            seen_error(&world->seen, "a stall, and %s goes on", world->scenario->threads.at[i].name);
        }
    }
    if (alive != finding->edges.count) {
        seen_error(&world->seen, "a stall of %zu threads, and there are %zu", finding->edges.count, alive);
    }
}

/* The lock wanted is not held, the one that forbids it is, and their levels say so. */
static void audit_level(struct world *world, const struct seen_finding *finding) {
    const struct lge_finding_edge *call = &finding->edges.at[0];
    const struct object *wanted = world_lock_object(world, call->from);
    const struct object *held = world_lock_object(world, call->to);
    if (finding->head.severity != LGR_ERROR || !wanted || !held || wanted->level > held->level) {
        seen_error(&world->seen, "problem %u: no violation of levels", finding->head.problem);
    }
    if (!holds(call, call->to, LGR_EXCLUSIVE) && !holds(call, call->to, LGR_SHARED)) {
        seen_error(&world->seen, "problem %u: the lock in the way is not held", finding->head.problem);
    }
}

static bool constructed(const struct world *world, uint32_t class_id) {
    for (size_t i = 0; i < world->scenario->classes.count; i++) {
        if (world->class_ids[i] == class_id) {
            return world->scenario->classes.at[i].constructed;
        }
    }
    return false;
}

/* Classes that are guessed, or that one function makes, are no more than a note. */
static bool vague(const struct world *world, const struct seen_finding *finding) {
    if (finding->head.verdict != LGR_VERDICT_CLASS_PATTERN) {
        return false;
    }
    bool all = true;
    for (size_t i = 0; i < finding->edges.count; i++) {
        all = all && constructed(world, finding->edges.at[i].from_class);
    }
    return all || finding->head.reason_kind == LGR_REASON_GUESSED_CLASS;
}

static void audit_finding(struct world *world, const struct seen_finding *finding) {
    if (finding->head.kind == LGR_KIND_LEVEL_VIOLATION) {
        audit_level(world, finding);
        return;
    }
    enum lgr_severity due = vague(world, finding) ? LGR_NOTE : due_severity(finding->head.verdict);
    if (finding->head.severity != due) {
        seen_error(&world->seen, "problem %u: severity %d does not fit %s", finding->head.problem,
                   (int)finding->head.severity, verdict_text(finding->head.verdict));
    }
    if (finding->head.kind == LGR_KIND_STALL) {
        audit_stall(world, finding);
        return;
    }
    audit_ring(world, finding);
    if (finding->head.verdict == LGR_VERDICT_FEASIBLE || finding->head.verdict == LGR_VERDICT_TIMED) {
        audit_feasible(world, finding);
    } else if (finding->head.verdict == LGR_VERDICT_GATED) {
        audit_gated(world, finding);
    }
}

void audit_findings(struct world *world) {
    for (size_t i = 0; i < world->seen.findings.count; i++) {
        audit_finding(world, &world->seen.findings.at[i]);
    }
}
