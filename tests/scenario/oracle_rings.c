/* All rings of all dependencies, by brute force, and what they say about the
 * engine's findings. */
#include "oracle.h"

static bool before(const struct dependency *one, const struct dependency *other) {
    return other->clock.times[one->thread] >= one->clock.times[one->thread];
}

/* Whether both threads can stand at their requests at one time. */
static bool together(const struct dependency *one, const struct dependency *other) {
    bool gate = (one->held & other->held & (one->owned | other->owned)) != 0;
    return one->thread != other->thread && one->request != other->request && !gate && !before(one, other) &&
           !before(other, one);
}

/* Whether the request of one waits for what the other holds. */
static bool waits(const struct dependency *one, const struct dependency *other) {
    return ((one->shared ? other->owned : other->held) & 1u << one->request) != 0;
}

/* What a ring is compared with; called with its parts in order. */
typedef bool ring_test(const struct machine *machine, const struct dependency *const *ring, size_t length,
                       const void *user);

/* Extends the ring so far in every way; true when `test` held for a whole one. */
static bool extend(const struct machine *machine, const struct dependency **ring, size_t length,
                   ring_test *test, const void *user) {
    if (length > 1 && waits(ring[length - 1], ring[0]) && test(machine, ring, length, user)) {
        return true;
    }
    for (size_t i = 0; length < LIVE + 4 && i < machine->dependency_count; i++) {
        const struct dependency *next = &machine->dependencies[i];
        bool fits = length == 0 || waits(ring[length - 1], next);
        for (size_t j = 0; fits && j < length; j++) {
            fits = together(ring[j], next);
        }
        ring[length] = next;
        if (fits && extend(machine, ring, length + 1, test, user)) {
            return true;
        }
    }
    return false;
}

static bool any_ring(const struct machine *machine, ring_test *test, const void *user) {
    const struct dependency *ring[THREADS + 1];
    return extend(machine, ring, 0, test, user);
}

static bool is_feasible(const struct seen_finding *finding) {
    return finding->head.kind == LGR_KIND_ORDER_CYCLE && finding->head.verdict == LGR_VERDICT_FEASIBLE;
}

/* The ring has exactly the finding's requests and threads, from edge 0 on. */
static bool is_finding(const struct machine *machine, const struct dependency *const *ring, size_t length,
                       const void *user) {
    const struct seen_finding *finding = user;
    if (length != finding->edges.count) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const struct lge_finding_edge *edge = &finding->edges.at[i];
        if (machine->ids[ring[i]->request] != edge->to ||
            machine->threads[ring[i]->thread].serial != edge->thread) {
            return false;
        }
    }
    return true;
}

static bool reported_edge(const struct machine *machine, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        const struct seen_finding *finding = &machine->seen.findings.at[i];
        for (size_t j = 0; is_feasible(finding) && j < finding->edges.count; j++) {
            if (finding->edges.at[j].from == from && finding->edges.at[j].to == to) {
                return true;
            }
        }
    }
    return false;
}

static bool is_missed(const struct machine *machine, const struct dependency *const *ring, size_t length,
                      const void *user) {
    (void)user;
    for (size_t i = 0; i < length; i++) {
        if (ring[i]->traceless) {
            return false;
        }
        unsigned from = ring[(i + length - 1) % length]->request;
        if (reported_edge(machine, machine->ids[from], machine->ids[ring[i]->request])) {
            return false;
        }
    }
    return true;
}

static bool is_ring(const struct machine *machine, const struct dependency *const *ring, size_t length,
                    const void *user) {
    (void)machine, (void)ring, (void)length, (void)user;
    return true;
}

enum outcome oracle_compare(const struct machine *machine) {
    if (machine->seen.error[0] != '\0') {
        return BROKEN;
    }
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        const struct seen_finding *finding = &machine->seen.findings.at[i];
        if (is_feasible(finding) && !any_ring(machine, is_finding, finding)) {
            return UNSOUND;
        }
    }
    if (any_ring(machine, is_missed, NULL)) {
        return INCOMPLETE;
    }
    return any_ring(machine, is_ring, NULL) ? AGREE_FEASIBLE : AGREE_NONE;
}
