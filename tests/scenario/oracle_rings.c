/* Every ring of locks and its grade, by brute force, and what that says about
 * the engine's findings. */
#include <string.h>

#include "oracle.h"

#define MOST_RINGS 409 /* simple cycles in the complete graph of six locks */

/* A cycle of locks; `due` is what the engine must have seen, `most` what it may
 * say at most. */
struct ring {
    unsigned locks[LOCKS];
    size_t length;
    enum lgr_verdict due, most;
};
struct rings {
    struct ring at[MOST_RINGS];
    size_t count;
};

/* One dependency an edge; part[i] holds locks[i] and requests the next. */
struct choice {
    const struct machine *machine;
    const struct ring *ring;
    const struct seen_finding *finding; /* only dependencies that look like its edges; NULL: any */
    size_t turn;                        /* the finding's first edge starts from locks[turn] */
    bool due_only;
    const struct dependency *part[LOCKS];
    enum lgr_verdict best;
};

/* ---- the grading rule ---- */

static bool before(const struct dependency *one, const struct dependency *other) {
    return other->clock.times[one->thread] >= one->clock.times[one->thread];
}

/* What keeps two parts of a cycle from standing at their requests at one time. */
static enum lgr_verdict grade_of_pair(const struct dependency *one, const struct dependency *other) {
    if (one->thread == other->thread) {
        return LGR_VERDICT_SINGLE_THREAD;
    }
    if (one->held & other->held & (one->owned | other->owned)) {
        return LGR_VERDICT_GATED;
    }
    return before(one, other) || before(other, one) ? LGR_VERDICT_ORDERED : LGR_VERDICT_FEASIBLE;
}

/* Whether the request waits for what the other holds.  Readers wait for readers
 * only where writers come first and there is a writer. */
static bool waits(const struct machine *machine, const struct dependency *one,
                  const struct dependency *other) {
    unsigned lock = 1u << one->request;
    bool queues = machine->program->prefer_writer[one->request] && (machine->written & lock);
    return (other->held & lock) && (!one->shared || (other->owned & lock) || queues);
}

/* A reader behind a reader waits as long as the writer between them does. */
static enum lgr_verdict grade_of_wait(const struct machine *machine, const struct dependency *one,
                                      const struct dependency *other) {
    unsigned lock = 1u << one->request;
    bool readers = one->shared && !(other->owned & lock);
    return readers && !(machine->written_for_long & lock) ? LGR_VERDICT_TIMED : LGR_VERDICT_FEASIBLE;
}

static enum lgr_verdict lower(enum lgr_verdict one, enum lgr_verdict other) {
    return one < other ? one : other;
}

/* The part holds a semaphore that it took under a lock it has given up. */
static bool handed_on(const struct choice *choice, size_t depth) {
    return (choice->part[depth]->handed & 1u << choice->ring->locks[depth]) != 0;
}

/* Adding the part at `depth` to those below it. */
static enum lgr_verdict grade_with(const struct choice *choice, size_t depth, enum lgr_verdict grade) {
    const struct dependency *part = choice->part[depth];
    grade = lower(grade, part->timed ? LGR_VERDICT_TIMED : LGR_VERDICT_FEASIBLE);
    grade = lower(grade, handed_on(choice, depth) ? LGR_VERDICT_ORDERED : LGR_VERDICT_FEASIBLE);
    for (size_t i = 0; i < depth; i++) {
        grade = lower(grade, grade_of_pair(choice->part[i], part));
    }
    if (depth > 0) {
        grade = lower(grade, grade_of_wait(choice->machine, choice->part[depth - 1], part));
    }
    if (depth + 1 == choice->ring->length) {
        grade = lower(grade, grade_of_wait(choice->machine, part, choice->part[0]));
    }
    return grade;
}

/* A part that also holds a later lock of the ring, and holds up who requests
 * that, closes a shorter ring with some of the same parts: its grade is at
 * least as high, and it is the one to tell. */
static bool shorter_ring_inside(const struct choice *choice) {
    size_t length = choice->ring->length;
    for (size_t i = 0; i < length; i++) {
        for (size_t j = 0; j < length; j++) {
            const struct dependency *asking = choice->part[(j + length - 1) % length];
            if (i != j && asking != choice->part[i] && waits(choice->machine, asking, choice->part[i])) {
                return true;
            }
        }
    }
    return false;
}

static bool looks_like(const struct choice *choice, size_t depth, const struct dependency *part) {
    const struct machine *machine = choice->machine;
    size_t length = choice->ring->length;
    const struct lge_finding_edge *edge =
        &choice->finding->edges.at[(depth + length - choice->turn) % length];
    unsigned held = 0, owned = 0;
    for (uint32_t i = 0; i < edge->held_count; i++) {
        for (unsigned lock = 0; lock < LOCKS; lock++) {
            bool same = machine->ids[lock] == edge->held[i].lock;
            held |= same ? 1u << lock : 0;
            owned |= same && edge->held[i].mode == LGR_EXCLUSIVE ? 1u << lock : 0;
        }
    }
    uint8_t from = part->owned & 1u << choice->ring->locks[depth] ? LGR_EXCLUSIVE : LGR_SHARED;
    return machine->threads[part->thread].serial == edge->thread && part->held == held &&
           part->owned == owned && edge->mode_from == from &&
           edge->mode_to == (part->shared ? LGR_SHARED : LGR_EXCLUSIVE) && edge->timed == part->timed;
}

static bool fits(const struct choice *choice, size_t depth, const struct dependency *part) {
    const struct ring *ring = choice->ring;
    return part->request == ring->locks[(depth + 1) % ring->length] &&
           (part->held & 1u << ring->locks[depth]) && !(choice->due_only && part->traceless) &&
           (!choice->finding || looks_like(choice, depth, part)) &&
           (depth == 0 || waits(choice->machine, choice->part[depth - 1], part)) &&
           (depth + 1 < ring->length || waits(choice->machine, part, choice->part[0]));
}

/* Every choice that could beat the best so far. */
static void choose(struct choice *choice, size_t depth, enum lgr_verdict grade) {
    if (depth == choice->ring->length) {
        choice->best = choice->due_only && shorter_ring_inside(choice) ? choice->best : grade;
        return;
    }
    for (size_t i = 0; i < choice->machine->dependency_count; i++) {
        const struct dependency *part = &choice->machine->dependencies[i];
        if (!fits(choice, depth, part)) {
            continue;
        }
        choice->part[depth] = part;
        enum lgr_verdict with = grade_with(choice, depth, grade);
        if (with > choice->best) {
            choose(choice, depth + 1, with);
        }
    }
}

static enum lgr_verdict best_choice(struct choice choice) {
    choose(&choice, 0, LGR_VERDICT_FEASIBLE);
    return choice.best;
}

/* ---- all rings ---- */

static void grade_ring(const struct machine *machine, struct ring *ring) {
    ring->most = best_choice((struct choice){.machine = machine, .ring = ring});
    ring->due = ring->most == LGR_VERDICT_NONE
                    ? LGR_VERDICT_NONE
                    : best_choice((struct choice){.machine = machine, .ring = ring, .due_only = true});
}

static bool has_edge(const struct machine *machine, unsigned from, unsigned to) {
    for (size_t i = 0; i < machine->dependency_count; i++) {
        if (machine->dependencies[i].request == to && (machine->dependencies[i].held & 1u << from)) {
            return true;
        }
    }
    return false;
}

/* Paths from the ring's smallest lock, extended in every way. */
static void collect_from(const struct machine *machine, struct rings *rings, struct ring *path,
                         unsigned used) {
    unsigned last = path->locks[path->length - 1];
    if (path->length > 1 && has_edge(machine, last, path->locks[0])) {
        rings->at[rings->count] = *path;
        grade_ring(machine, &rings->at[rings->count++]);
    }
    for (unsigned next = path->locks[0] + 1; next < LOCKS; next++) {
        if (!(used & 1u << next) && has_edge(machine, last, next)) {
            path->locks[path->length++] = next;
            collect_from(machine, rings, path, used | 1u << next);
            path->length--;
        }
    }
}

static void collect_rings(const struct machine *machine, struct rings *rings) {
    rings->count = 0;
    for (unsigned first = 0; first < LOCKS; first++) {
        struct ring path = {.locks = {first}, .length = 1};
        collect_from(machine, rings, &path, 1u << first);
    }
}

/* ---- findings ---- */

static const struct lge_finding_edge *edge_of(const struct seen_finding *finding, size_t i) {
    return &finding->edges.at[i % finding->edges.count];
}

/* The finding has exactly the ring's locks, its first edge starting from
 * locks[turn]. */
static bool turned(const struct machine *machine, const struct seen_finding *finding, const struct ring *ring,
                   size_t turn) {
    for (size_t i = 0; i < ring->length; i++) {
        uint64_t id = machine->ids[ring->locks[(turn + i) % ring->length]];
        if (edge_of(finding, i)->from != id || edge_of(finding, i + ring->length - 1)->to != id) {
            return false;
        }
    }
    return true;
}

/* SIZE_MAX: the finding is another ring. */
static size_t turn_of(const struct machine *machine, const struct seen_finding *finding,
                      const struct ring *ring) {
    size_t turn = 0;
    if (finding->edges.count != ring->length) {
        return SIZE_MAX;
    }
    while (turn < ring->length && !turned(machine, finding, ring, turn)) {
        turn++;
    }
    return turn < ring->length ? turn : SIZE_MAX;
}

static unsigned common(const struct lge_finding_edge *one, const struct lge_finding_edge *other,
                       uint64_t lock) {
    unsigned holds = 0, exclusive = 0;
    for (uint32_t i = 0; i < one->held_count + other->held_count; i++) {
        const struct lgr_held *held = i < one->held_count ? &one->held[i] : &other->held[i - one->held_count];
        holds += held->lock == lock;
        exclusive += held->lock == lock && held->mode == LGR_EXCLUSIVE;
    }
    return holds == 2 && exclusive > 0;
}

static bool has_switch(const struct machine *machine) {
    for (size_t i = 0; i < machine->dependency_count; i++) {
        if (machine->dependencies[i].handed != 0) {
            return true;
        }
    }
    return false;
}

/* The reason that is given lies between two of the edges, or in one of them. */
static bool explained(const struct machine *machine, const struct seen_finding *finding) {
    const struct lge_finding *head = &finding->head;
    if (head->verdict == LGR_VERDICT_ORDERED) {
        return (head->reason_kind >= LGR_REASON_CREATE && head->reason_kind <= LGR_REASON_SEMAPHORE) ||
               (head->reason_kind == LGR_REASON_SWITCH && has_switch(machine));
    }
    bool found = head->verdict >= LGR_VERDICT_ORDERED;
    for (size_t i = 0; i < finding->edges.count; i++) {
        for (size_t j = i + 1; j < finding->edges.count; j++) {
            const struct lge_finding_edge *one = &finding->edges.at[i], *other = &finding->edges.at[j];
            found = found || (head->verdict == LGR_VERDICT_GATED && head->reason_kind == LGR_REASON_GATE &&
                              common(one, other, head->reason_id));
            found = found ||
                    (head->verdict == LGR_VERDICT_SINGLE_THREAD && head->reason_kind == LGR_REASON_THREAD &&
                     one->thread == other->thread && one->thread == head->reason_id);
        }
    }
    return found;
}

static void expect(struct machine *machine, const struct ring *ring, enum lgr_verdict verdict) {
    int used = snprintf(machine->expect, sizeof machine->expect, "order-cycle %s", verdict_text(verdict));
    for (size_t i = 0; verdict != LGR_VERDICT_NONE && i < ring->length; i++) {
        used += snprintf(machine->expect + used, sizeof machine->expect - (size_t)used, " %c",
                         'A' + (int)ring->locks[i]);
    }
    if (verdict == LGR_VERDICT_NONE) {
        snprintf(machine->expect, sizeof machine->expect, "silence");
    }
}

static enum outcome compare_grade(struct machine *machine, const struct seen_finding *finding,
                                  const struct ring *ring, size_t turn) {
    struct choice like = {.machine = machine, .ring = ring, .finding = finding, .turn = turn};
    enum lgr_verdict said = finding->head.verdict;
    bool high = said > ring->most || best_choice(like) < said;
    if (high || said < ring->due) {
        expect(machine, ring, high ? ring->most : ring->due);
        seen_error(&machine->seen, "problem %u is graded %s", finding->head.problem, verdict_text(said));
        return high ? UNSOUND : LOW;
    }
    if (!explained(machine, finding)) {
        expect(machine, ring, said);
        seen_error(&machine->seen, "problem %u has a wrong reason", finding->head.problem);
        return UNSOUND;
    }
    return AGREE;
}

static enum outcome compare_finding(struct machine *machine, const struct seen_finding *finding,
                                    const struct rings *rings) {
    for (size_t i = 0; i < rings->count; i++) {
        size_t turn = turn_of(machine, finding, &rings->at[i]);
        if (turn != SIZE_MAX) {
            return compare_grade(machine, finding, &rings->at[i], turn);
        }
    }
    expect(machine, NULL, LGR_VERDICT_NONE);
    seen_error(&machine->seen, "problem %u is no cycle of the evidence", finding->head.problem);
    return UNSOUND;
}

/* The finding grades at least as high and has an edge of the ring. */
static bool covers(const struct machine *machine, const struct seen_finding *finding,
                   const struct ring *ring) {
    for (size_t i = 0; i < ring->length; i++) {
        uint64_t from = machine->ids[ring->locks[i]], to = machine->ids[ring->locks[(i + 1) % ring->length]];
        for (size_t j = 0; finding->head.verdict >= ring->due && j < finding->edges.count; j++) {
            if (finding->edges.at[j].from == from && finding->edges.at[j].to == to) {
                return true;
            }
        }
    }
    return false;
}

static bool is_covered(struct machine *machine, const struct ring *ring) {
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        if (covers(machine, &machine->seen.findings.at[i], ring)) {
            return true;
        }
    }
    expect(machine, ring, ring->due);
    return false;
}

static enum outcome compare_all(struct machine *machine, const struct rings *rings) {
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        enum outcome outcome = compare_finding(machine, &machine->seen.findings.at[i], rings);
        if (outcome != AGREE) {
            return outcome;
        }
    }
    for (size_t i = 0; i < rings->count; i++) {
        if (rings->at[i].due != LGR_VERDICT_NONE && !is_covered(machine, &rings->at[i])) {
            return INCOMPLETE;
        }
    }
    return AGREE;
}

/* All searches together took less than one may. */
static bool exhausted(void) {
    struct lge_figures figures;
    lge_figures(&figures);
    return figures.degraded != 0 || figures.search_steps >= 1u << 20;
}

enum outcome oracle_compare(struct machine *machine, enum lgr_verdict *worst) {
    struct rings rings;
    collect_rings(machine, &rings);
    *worst = LGR_VERDICT_NONE;
    for (size_t i = 0; i < rings.count; i++) {
        *worst = rings.at[i].most > *worst ? rings.at[i].most : *worst;
    }
    if (machine->seen.error[0] != '\0') {
        return BROKEN;
    }
    if (exhausted()) {
        return EXHAUSTED;
    }
    return compare_all(machine, &rings);
}
