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

/* It is a semaphore that nobody found to signal; or one that signals since a moment ago, and
 * whoever found that waits for the graph lock. */
static bool may_fall(uint64_t id) { return lge_semaphore_slots(id) != 0 || lge_semaphore_signals(id); }

static bool rests(const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (may_fall(finding->edges[i].from))
            return is_of_holds(finding);
    return false;
}

static bool rests_on(const struct lge_finding *finding, uint64_t semaphore) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].from == semaphore)
            return true;
    return false;
}

/* The slots are asked for first: that takes the semaphores' lock, without which who
 * asks whether one signals may see an old answer. */
bool lge_resting_fell(const struct lge_finding *finding) {
    if (!is_ring(finding) || finding->verdict <= LGR_VERDICT_ORDERED)
        return false;
    for (size_t i = 0; i < finding->edge_count; i++)
        if (lge_semaphore_slots(finding->edges[i].from) == 0 && lge_semaphore_signals(finding->edges[i].from))
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

static struct lge_finding *copy_of(const struct lge_finding *finding) {
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

void lge_resting_lower(struct lge_finding *finding) {
    finding->severity = LGR_NOTE;
    if (!is_ring(finding))
        return;
    finding->verdict = LGR_VERDICT_ORDERED;
    finding->reason_kind = LGR_REASON_SEMAPHORE;
    finding->reason_id = 0;
    finding->timed = false;
    if (of_locks_only(finding))
        finding->kind = LGR_KIND_ORDER_CYCLE;
}

void lge_resting_free(struct lge_finding *copy) {
    if (copy == NULL)
        return;
    lge_edges_free((struct lge_finding_edge *)(uintptr_t)copy->edges, copy->edge_count);
    lgp_free(copy, sizeof *copy);
}

/* ---- sightings ---- */

static bool graver(const struct lge_finding *one, const struct lge_finding *other) {
    if (one->severity != other->severity)
        return one->severity > other->severity;
    return one->verdict > other->verdict;
}

/* As long as `other` stands, so does `one`, which is as grave: `other` adds nothing. */
static bool covers(const struct lge_finding *one, const struct lge_finding *other) {
    for (size_t i = 0; i < one->edge_count; i++) {
        uint64_t from = one->edges[i].from;
        if (may_fall(from) && !rests_on(other, from))
            return false;
    }
    return !graver(other, one);
}

static void take_out_covered(struct lge_sightings *sightings, const struct lge_finding *by) {
    size_t left = 0;
    for (size_t i = 0; i < sightings->count; i++) {
        struct lge_finding *sighting = sightings->of[i];
        if (covers(by, sighting))
            lge_resting_free(sighting);
        else
            sightings->of[left++] = sighting;
    }
    sightings->count = left;
}

static void put_first(struct lge_sightings *sightings, struct lge_finding *told) {
    if (sightings->count == LGE_SIGHTINGS)
        lge_resting_free(sightings->of[--sightings->count]);
    memmove(sightings->of + 1, sightings->of, sightings->count * sizeof sightings->of[0]);
    sightings->of[0] = told;
    sightings->count++;
}

void lge_sightings_tell(struct lge_sightings *sightings, const struct lge_finding *finding) {
    bool falls = finding->severity != LGR_NOTE && rests(finding);
    struct lge_finding *told = falls ? copy_of(finding) : NULL;
    if (told == NULL) {
        lge_sightings_clear(sightings);
        return;
    }
    take_out_covered(sightings, told);
    put_first(sightings, told);
}

void lge_sightings_add(struct lge_sightings *sightings, const struct lge_finding *finding) {
    if (sightings->count == 0 || sightings->count == LGE_SIGHTINGS || finding->severity == LGR_NOTE ||
        !is_of_holds(finding))
        return;
    for (size_t i = 0; i < sightings->count; i++)
        if (covers(sightings->of[i], finding))
            return;
    struct lge_finding *copy = copy_of(finding);
    if (copy != NULL)
        sightings->of[sightings->count++] = copy;
}

static void gravest_first(struct lge_sightings *sightings) {
    for (size_t i = 1; i < sightings->count; i++) {
        struct lge_finding *other = sightings->of[i];
        if (!graver(other, sightings->of[0]))
            continue;
        sightings->of[i] = sightings->of[0];
        sightings->of[0] = other;
    }
}

struct lge_finding *lge_sightings_fall(struct lge_sightings *sightings, uint64_t semaphore) {
    struct lge_finding *told = NULL;
    size_t left = 0;
    for (size_t i = 0; i < sightings->count; i++) {
        struct lge_finding *sighting = sightings->of[i];
        if (!rests_on(sighting, semaphore))
            sightings->of[left++] = sighting;
        else if (i == 0)
            told = sighting;
        else
            lge_resting_free(sighting);
    }
    sightings->count = left;
    if (told != NULL)
        gravest_first(sightings);
    return told;
}

void lge_sightings_clear(struct lge_sightings *sightings) {
    while (sightings->count > 0)
        lge_resting_free(sightings->of[--sightings->count]);
}
