#include "stall_words.h"

#include <string.h>

#include "clock.h"
#include "narrative.h"
#include "stacks.h"

/* ---- one thread ---- */

static const char *what(struct pool *pool, const struct model_edge *edge) {
    if (edge->joined)
        return pool_printf(pool, "%s %s", edge->to_label, edge_until(edge));
    return pool_printf(pool, "%s%s", edge->to_label, edge->to && edge->shared_to ? " (shared)" : "");
}

static const char *since(struct pool *pool, const struct model_edge *edge) {
    const char *clock = edge->since_realtime_ns ? clock_words(pool, edge->since_realtime_ns, "%H:%M:%S") : "";
    if (!*clock)
        return "";
    return pool_printf(pool, " since %s.%03u", clock, (unsigned)(edge->since_realtime_ns / 1000000 % 1000));
}

static const char *holding(struct pool *pool, const struct model_edge *edge) {
    const char *list = "";
    for (size_t i = 0; i < edge->held_count; i++)
        list = pool_printf(pool, "%s%s%s%s", list, i ? ", " : ", holding ", edge->held[i].lock->short_name,
                           edge->held[i].shared ? " (shared)" : "");
    return list;
}

const char *stall_edge(struct pool *pool, const struct model_edge *edge) {
    return pool_printf(pool, "waits for %s%s%s", what(pool, edge), since(pool, edge), holding(pool, edge));
}

/* ---- the sentence ---- */

enum reason { CONDITION, SEMAPHORE, BARRIER, LOCK, JOIN, REASONS };

static enum reason reason_of(const struct model_edge *edge) {
    if (edge->condition)
        return CONDITION;
    if (edge->joined)
        return JOIN;
    if (edge->at_barrier || !edge->to)
        return BARRIER;
    return strcmp(edge->to->kind, "semaphore") == 0 ? SEMAPHORE : LOCK;
}

static const char *const reasons[REASONS] = {
    [CONDITION] = "for a signal to a condition",
    [SEMAPHORE] = "for a post to a semaphore",
    [BARRIER] = "at a barrier",
    [LOCK] = "for a lock",
    [JOIN] = "for a thread to end",
};

/* "2 for a signal to a condition, 1 for a thread to end". */
static const char *count_waits(struct pool *pool, const struct model_finding *finding) {
    const char *list = "";
    for (enum reason reason = CONDITION; reason < REASONS; reason++) {
        size_t count = 0;
        for (size_t i = 0; i < finding->edge_count; i++)
            count += reason_of(&finding->edges[i]) == reason;
        if (count)
            list = pool_printf(pool, "%s%s%zu %s", list, *list ? ", " : "", count, reasons[reason]);
    }
    return list;
}

static const char *title(struct pool *pool, const struct model_finding *finding) {
    if (finding->edge_count == 1)
        return pool_printf(pool, "the only thread, %s, waits for ever for %s",
                           finding->edges[0].thread->label, what(pool, &finding->edges[0]));
    const char *all = finding->edge_count == 2 ? "both" : pool_printf(pool, "all %zu", finding->edge_count);
    return pool_printf(pool, "%s threads wait for ever: %s", all, count_waits(pool, finding));
}

/* ---- where ---- */

static const char *waiting_step(struct pool *pool, const struct model_edge *edge) {
    return pool_printf(pool, "%s waits for %s at %s", edge->thread->tag, what(pool, edge),
                       frame_place(pool, stack_site(&edge->requested_at)));
}

static const char *signal_step(struct pool *pool, const struct model_edge *edge) {
    return pool_printf(pool, "%s was the last to signal %s, at %s", edge->signaller->label, edge->to_label,
                       frame_place(pool, stack_site(&edge->held_at)));
}

bool stall_tells_signal(const struct model_finding *finding, const struct model_edge *edge) {
    if (!edge->signaller)
        return false;
    for (const struct model_edge *before = finding->edges; before < edge; before++)
        if (before->condition == edge->condition)
            return false;
    return true;
}

static void tell_steps(struct pool *pool, struct model_finding *finding) {
    size_t count = finding->edge_count;
    finding->steps = pool_array(pool, 2 * count, sizeof *finding->steps);
    finding->step_count = 0;
    finding->steps_heading = "Where";
    for (size_t i = 0; i < count; i++)
        if (stall_tells_signal(finding, &finding->edges[i]))
            finding->steps[finding->step_count++] = signal_step(pool, &finding->edges[i]);
    for (size_t i = 0; i < count; i++) {
        if (!FOLDED(count, i))
            finding->steps[finding->step_count++] = waiting_step(pool, &finding->edges[i]);
        else if (i == FOLD_KEEP)
            finding->steps[finding->step_count++] =
                pool_printf(pool, "… %zu more threads wait …", count - 2 * FOLD_KEEP);
    }
}

/* ---- what to change ---- */

/* The first of those that tell most: joins and locks follow from others. */
static const struct model_edge *telling_edge(const struct model_finding *finding) {
    const struct model_edge *best = &finding->edges[0];
    for (size_t i = 1; i < finding->edge_count; i++)
        if (reason_of(&finding->edges[i]) < reason_of(best))
            best = &finding->edges[i];
    return best;
}

static const char *advise_condition(struct pool *pool, const struct model_edge *edge) {
    const char *place = frame_place(pool, stack_site(&edge->requested_at));
    if (!edge->signaller)
        return pool_printf(pool,
                           "no signal to that condition is known: signal it wherever what the wait at %s "
                           "tests may change, and when the last thread that would is done",
                           place);
    return pool_printf(
        pool,
        "a signal that nobody waits for is lost: at %s, test what is waited for under the mutex "
        "before every wait; and signal (all, where several wait) after every change, also after "
        "the one at %s",
        place, frame_place(pool, stack_site(&edge->held_at)));
}

static const char *advice(struct pool *pool, const struct model_finding *finding) {
    const struct model_edge *edge = telling_edge(finding);
    const char *place = frame_place(pool, stack_site(&edge->requested_at));
    switch (reason_of(edge)) {
    case CONDITION:
        return advise_condition(pool, edge);
    case SEMAPHORE:
        return pool_printf(
            pool, "post %s for every wait at %s, also when the last thread that would post it is done",
            edge->to_label, place);
    case BARRIER:
        return pool_printf(
            pool,
            "the barrier at %s counts more threads than come: initialise it with as many as do, "
            "and let each of them come in every round",
            place);
    default:
        return pool_printf(pool, "see what the one that is waited for at %s waits for itself", place);
    }
}

void narrate_stall(struct pool *pool, struct model_finding *finding) {
    finding->title = title(pool, finding);
    finding->why =
        "no thread is left that does anything, no signal handler is installed, and nothing that is "
        "waited for is shared with another process: nobody can end any of these waits";
    finding->advice = advice(pool, finding);
    tell_steps(pool, finding);
}
