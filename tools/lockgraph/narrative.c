#include "narrative.h"

#include <string.h>

#include "dry_pool.h"
#include "hand_over.h"
#include "kinds.h"
#include "misuse_words.h"
#include "reread_words.h"
#include "stacks.h"
#include "stall_words.h"

static bool is_deadlock(const struct model_finding *finding) {
    return finding->kind == LGR_KIND_DEADLOCK || finding->kind == LGR_KIND_SELF_DEADLOCK;
}

/* A slot of several is neither exclusive nor shared. */
static const char *mode_word(const struct model_lock *lock, bool shared) {
    if (shared && slots_of(lock) > 1)
        return " (a slot)";
    return shared ? " (shared)" : "";
}

const char *narrate_edge(struct pool *pool, const struct model_finding *finding,
                         const struct model_edge *edge) {
    const char *held = "";
    if (is_stall(finding))
        return stall_edge(pool, edge);
    if (edge->from)
        held = pool_printf(pool, "holds %s%s, ", edge->from_label, mode_word(edge->from, edge->shared_from));
    if (edge->joined)
        return pool_printf(pool, "%swaits for %s %s", held, edge->to_label, edge_until(edge));
    return pool_printf(pool, "%s%s %s%s%s", held, is_deadlock(finding) ? "waits for" : "wants",
                       edge->to_label, mode_word(edge->to, edge->shared_to),
                       edge->timed ? " with a time limit" : "");
}

/* ---- title ---- */

static const char *ring_of_locks(struct pool *pool, const struct model_finding *finding) {
    const char *ring = "";
    for (size_t i = 0; i < finding->edge_count; i++) {
        if (!FOLDED(finding->edge_count, i))
            ring = pool_printf(pool, "%s%s → ", ring, finding->edges[i].from_label);
        else if (i == FOLD_KEEP)
            ring = pool_printf(pool, "%s… %zu more … → ", ring, finding->edge_count - 2 * FOLD_KEEP);
    }
    return pool_printf(pool, "%s%s", ring, finding->edges[0].from_label);
}

static const char *cycle_title(struct pool *pool, const struct model_finding *finding) {
    const struct model_edge *first = &finding->edges[0];
    if (finding->edge_count == 1 || strcmp(first->from_label, first->to_label) == 0)
        return pool_printf(pool, "locks of one kind, %s, are nested in no fixed order", first->from_label);
    if (finding->edge_count == 2)
        return pool_printf(pool, "%s and %s are taken in both orders", first->from_label, first->to_label);
    return pool_printf(pool, "%zu locks are taken in a ring: %s", finding->edge_count,
                       ring_of_locks(pool, finding));
}

static const char *all_threads(struct pool *pool, const struct model_finding *finding) {
    const char *list = "";
    size_t count = finding->edge_count;
    for (size_t i = 0; i < count; i++) {
        const char *separator = i == 0 ? "" : i + 1 == count ? " and " : ", ";
        if (!FOLDED(count, i))
            list = pool_printf(pool, "%s%s%s", list, separator, finding->edges[i].thread->label);
        else if (i == FOLD_KEEP)
            list = pool_printf(pool, "%s, … %zu more …", list, count - 2 * FOLD_KEEP);
    }
    return list;
}

static const char *deadlock_title(struct pool *pool, const struct model_finding *finding) {
    const char *until = finding->timed ? "until a time limit ends it" : "for ever";
    if (finding->edge_count == 1)
        return pool_printf(pool, "%s waits for itself %s", finding->edges[0].thread->label, until);
    return pool_printf(pool, "%s wait for %s %s", all_threads(pool, finding),
                       finding->edge_count == 2 ? "each other" : "one another", until);
}

static const char *title(struct pool *pool, const struct model_finding *finding) {
    if (finding->edge_count == 0)
        return "details were not recorded";
    const struct model_edge *first = &finding->edges[0];
    switch (finding->kind) {
    case LGR_KIND_ORDER_CYCLE:
        return cycle_title(pool, finding);
    case LGR_KIND_SELF_DEADLOCK:
        return pool_printf(pool, "%s waits for %s, which it holds itself", first->thread->label,
                           first->to_label);
    case LGR_KIND_DEADLOCK:
        return deadlock_title(pool, finding);
    default:
        return "a kind of finding that this version does not know; take a newer lockgraph to read it";
    }
}

/* ---- how it hangs ---- */

static const char *taking_step(struct pool *pool, const struct model_edge *edge) {
    return pool_printf(pool, "%s takes %s%s at %s", edge->thread->tag, edge->from_label,
                       mode_word(edge->from, edge->shared_from),
                       frame_place(pool, stack_site(&edge->held_at)));
}

static const char *waiting_step(struct pool *pool, const struct model_edge *edge) {
    const char *place = frame_place(pool, stack_site(&edge->requested_at));
    if (edge->joined)
        return pool_printf(pool, "%s waits for %s %s at %s", edge->thread->tag, edge->to_label,
                           edge_until(edge), place);
    return pool_printf(pool, "%s waits for %s%s at %s", edge->thread->tag, edge->to_label,
                       mode_word(edge->to, edge->shared_to), place);
}

/* For notes, which do not hang: the two orders side by side. */
static const char *order_step(struct pool *pool, const struct model_edge *edge) {
    const char *place = frame_place(pool, stack_site(&edge->requested_at));
    return pool_printf(pool, "%s, then %s%s at %s", taking_step(pool, edge), edge->to_label,
                       mode_word(edge->to, edge->shared_to), place);
}

static const char *ending(const struct model_finding *finding) {
    bool timed = finding->timed || finding->verdict == LGR_VERDICT_TIMED;
    if (finding->edge_count == 1)
        return timed ? "it stalls until its time limit ends it" : "it never goes on";
    if (timed)
        return "they stall until a time limit ends it";
    return finding->edge_count == 2 ? "neither ever goes on" : "none of them ever goes on";
}

static void add_steps(struct pool *pool, struct model_finding *finding,
                      const char *(*step)(struct pool *, const struct model_edge *), const char *folded) {
    size_t count = finding->edge_count;
    for (size_t i = 0; i < count; i++) {
        bool taken = finding->edges[i].from || step != taking_step;
        if (!FOLDED(count, i) && taken)
            finding->steps[finding->step_count++] = step(pool, &finding->edges[i]);
        else if (FOLDED(count, i) && i == FOLD_KEEP)
            finding->steps[finding->step_count++] =
                pool_printf(pool, "… %zu more %s …", count - 2 * FOLD_KEEP, folded);
    }
}

static bool cannot_hang(const struct model_finding *finding) {
    return finding->verdict == LGR_VERDICT_SINGLE_THREAD || finding->verdict == LGR_VERDICT_GATED ||
           finding->verdict == LGR_VERDICT_ORDERED;
}

static void tell_steps(struct pool *pool, struct model_finding *finding) {
    finding->steps = pool_array(pool, 2 * finding->edge_count, sizeof *finding->steps);
    finding->step_count = 0;
    finding->steps_heading = cannot_hang(finding) ? "Where" : "How it hangs";
    if (finding->edge_count == 0)
        return;
    if (cannot_hang(finding)) {
        add_steps(pool, finding, order_step, "orders like these");
        return;
    }
    add_steps(pool, finding, taking_step, "threads take theirs in the same way");
    add_steps(pool, finding, waiting_step, "threads wait for the next one's");
    const char **last = &finding->steps[finding->step_count - 1];
    *last = pool_printf(pool, "%s: %s", *last, ending(finding));
}

/* ---- why ---- */

static const char *why_ordered(struct pool *pool, const struct model_finding *finding) {
    const char *thread = finding->reason_thread ? finding->reason_thread->label : "a thread";
    switch (finding->reason) {
    case LGR_REASON_CREATE:
        return pool_printf(pool, "one order was over before %s, which takes the other, was created", thread);
    case LGR_REASON_JOIN:
        return pool_printf(pool, "one order was over when %s was joined, and the other came after that",
                           thread);
    case LGR_REASON_BARRIER:
        return "a barrier stands between the two orders";
    case LGR_REASON_SEMAPHORE:
        return "a semaphore hands over from the one order to the other";
    case LGR_REASON_SWITCH:
        return "who took the semaphore did so under a lock that it has given up since, as the first of a "
               "group does who count themselves under that lock: then the last of them gives it back, "
               "whatever "
               "the first one waits for; without such a count it hangs as soon as two threads meet";
    case LGR_REASON_FORK:
        return "one order was seen before the fork, by a thread that is the parent's and not in this process";
    case LGR_REASON_CONDITION:
        return "a condition variable hands over from the one order to the other";
    case LGR_REASON_ONCE:
        return "one order runs only once, before the other (pthread_once)";
    default:
        return "the program keeps the two orders apart in time";
    }
}

static const char *why_actual(struct pool *pool, const struct model_finding *finding) {
    const char *seen = "it was seen while it happened, and who owns what was checked twice";
    if (dry_pool_wait(finding))
        return pool_printf(pool, "%s; %s", seen, dry_pool_holders(pool, finding));
    if (finding->reason != LGR_REASON_QUEUE)
        return seen;
    return pool_printf(
        pool, "%s; a reader waits for readers because %s waits to write, and later readers queue behind it",
        seen, finding->reason_thread ? finding->reason_thread->label : "another thread");
}

static const char *why_class_pattern(const struct model_finding *finding) {
    if (finding->reason == LGR_REASON_GUESSED_CLASS)
        return "that the locks are of one kind is only a guess, from where they were first taken, and no two "
               "of them were ever taken both ways";
    return "locks of the same kinds were taken in both orders, but never the same ones; the day two threads "
           "meet on the same ones, they hang";
}

static const char *why_across_runs(struct pool *pool, const struct model_finding *finding) {
    switch (finding->reason) {
    case LGR_REASON_GATE:
        return pool_printf(pool,
                           "no process saw all of these orders, and where they were seen %s was held around "
                           "two of them",
                           finding->gate->short_name);
    case LGR_REASON_GUESSED_CLASS:
        return "no process saw all of these orders, and that the locks are of one kind is only a guess, from "
               "where they were first taken";
    case LGR_REASON_THREAD:
        return "no process saw all of these orders, and none had a second thread";
    default:
        if (finding->common_locks)
            return "several processes share these locks, and what keeps the orders apart in one of them, if "
                   "anything does, keeps no other one out; a run in which they meet hangs";
        return "each order was seen, but by no process all of them, so what may keep them apart is not "
               "known; "
               "a run in which they meet hangs";
    }
}

static const char *why(struct pool *pool, const struct model_finding *finding) {
    switch (finding->verdict) {
    case LGR_VERDICT_FEASIBLE:
        return pool_printf(
            pool,
            "%zu different threads, no lock held around %s, and no creation, join or hand-over "
            "that keeps them apart%s",
            finding->edge_count, finding->edge_count == 2 ? "both orders" : "all of it",
            tell_hand_over(pool, finding));
    case LGR_VERDICT_ACTUAL:
        return why_actual(pool, finding);
    case LGR_VERDICT_GATED:
        return finding->gate ? pool_printf(pool,
                                           "both orders are taken under %s, so they never overlap; a path "
                                           "around it would make them hang",
                                           finding->gate->short_name)
                             : "a common lock is held around both orders, so they never overlap";
    case LGR_VERDICT_ORDERED:
        return why_ordered(pool, finding);
    case LGR_VERDICT_SINGLE_THREAD:
        return pool_printf(pool,
                           "%s alone took both orders, one after the other; a second thread doing so "
                           "would make them hang",
                           finding->reason_thread ? finding->reason_thread->label : "one thread");
    case LGR_VERDICT_CLASS_PATTERN:
        return why_class_pattern(finding);
    case LGR_VERDICT_ACROSS_RUNS:
        return why_across_runs(pool, finding);
    case LGR_VERDICT_TIMED:
        return "a request has a time limit of the program's own: it stalls, then that request fails";
    default:
        return verdict_meaning(finding->verdict);
    }
}

/* ---- what to change ---- */

/* The order kept in the fewest places is the cheapest to turn round; of equal
 * ones the last, which is the one that closed the ring. */
static const struct model_edge *cheapest_edge(const struct model_finding *finding) {
    const struct model_edge *best = &finding->edges[finding->edge_count - 1];
    for (size_t i = finding->edge_count; i-- > 0;) {
        const struct model_edge *edge = &finding->edges[i];
        if (!edge->joined && edge->sites && (!best->sites || edge->sites < best->sites))
            best = edge;
    }
    return best;
}

static const struct model_edge *joining_edge(const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].joined)
            return &finding->edges[i];
    return NULL;
}

/* One that holds something at a barrier. */
static const struct model_edge *barrier_edge(const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].at_barrier && finding->edges[i].from)
            return &finding->edges[i];
    return NULL;
}

/* One that holds something until it is signalled. */
static const struct model_edge *condition_edge(const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].condition && finding->edges[i].from)
            return &finding->edges[i];
    return NULL;
}

/* Reads a lock and then asks to write it. */
static const struct model_edge *upgrading_edge(const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        if (edge->from && edge->from == edge->to && edge->shared_from && !edge->shared_to)
            return edge;
    }
    return NULL;
}

static const char *advise_upgrade(struct pool *pool, const struct model_edge *edge) {
    return pool_printf(pool,
                       "release %s before asking to write it at %s, and look again at what was read; or take "
                       "it for writing from the start, at %s",
                       edge->from_label, frame_place(pool, stack_site(&edge->requested_at)),
                       frame_place(pool, stack_site(&edge->held_at)));
}

static const char *advise_relock(struct pool *pool, const struct model_edge *edge) {
    bool mutex = edge->to && strcmp(edge->to->kind, "mutex") == 0;
    return pool_printf(pool, "do not take %s again at %s: split off the part that runs with it held%s",
                       edge->to_label, frame_place(pool, stack_site(&edge->requested_at)),
                       mutex ? ", or make it recursive" : "");
}

static const char *advise_order(struct pool *pool, const struct model_finding *finding) {
    const struct model_edge *edge = cheapest_edge(finding);
    const char *place = frame_place(pool, stack_site(&edge->requested_at));
    bool one_kind = edge->from && edge->to && edge->from->class && edge->from->class == edge->to->class;
    if (one_kind || strcmp(edge->from_label, edge->to_label) == 0)
        return pool_printf(pool,
                           "at %s, take locks of this kind in one fixed order (by address or by a key), or "
                           "release the first before taking the second",
                           place);
    const char *places =
        edge->sites > 1 ? pool_printf(pool, " and the %zu other places that take them so", edge->sites - 1)
                        : "";
    return pool_printf(pool, "take %s before %s at %s%s, or release %s first", edge->to_label,
                       edge->from_label, place, places, edge->from_label);
}

static const char *advise_join(struct pool *pool, const struct model_edge *join) {
    const char *place = frame_place(pool, stack_site(&join->requested_at));
    if (join->from && join->in_once)
        return pool_printf(pool, "release %s before asking for the one-time initialisation at %s",
                           join->from_label, place);
    if (join->from)
        return pool_printf(pool, "release %s before joining %s at %s", join->from_label, join->to_label,
                           place);
    if (join->in_once)
        return pool_printf(pool,
                           "a one-time initialisation must not need itself, nor what waits for it: do "
                           "without that at %s",
                           place);
    return pool_printf(pool, "do not wait for %s at %s while it waits for this thread", join->to_label,
                       place);
}

static const char *advice(struct pool *pool, const struct model_finding *finding) {
    if (finding->edge_count == 0)
        return "";
    const struct model_edge *first = &finding->edges[0], *join = joining_edge(finding);
    if (dry_pool_wait(finding))
        return dry_pool_advice(pool, finding);
    if (upgrading_edge(finding))
        return advise_upgrade(pool, upgrading_edge(finding));
    if (finding->kind == LGR_KIND_SELF_DEADLOCK)
        return advise_relock(pool, first);
    const struct model_edge *barrier = barrier_edge(finding);
    if (barrier)
        return pool_printf(pool, "release %s before waiting at the barrier at %s", barrier->from_label,
                           frame_place(pool, stack_site(&barrier->requested_at)));
    const struct model_edge *condition = condition_edge(finding);
    if (condition)
        return pool_printf(pool, "release %s before waiting for the condition at %s, or signal without %s",
                           condition->from_label, frame_place(pool, stack_site(&condition->requested_at)),
                           condition->from_label);
    if (join)
        return advise_join(pool, join);
    if (finding->kind != LGR_KIND_ORDER_CYCLE && finding->kind != LGR_KIND_DEADLOCK)
        return "";
    return advise_order(pool, finding);
}

/* All of it in one paragraph, for machines that show only one. */
static const char *paragraph(struct pool *pool, const struct model_finding *finding, const char *text) {
    text = pool_printf(pool, "%s. %s:", text, finding->steps_heading);
    for (size_t i = 0; i < finding->step_count; i++)
        text = pool_printf(pool, "%s%s %zu. %s", text, i ? ";" : "", i + 1, finding->steps[i]);
    return pool_printf(pool, "%s. Why: %s.", text, finding->why);
}

static const char *explanation(struct pool *pool, const struct model_finding *finding) {
    const char *text = "";
    for (size_t i = 0; i < finding->edge_count; i++)
        text = pool_printf(pool, "%s%s%s %s", text, i ? "; " : "", finding->edges[i].thread->label,
                           narrate_edge(pool, finding, &finding->edges[i]));
    return paragraph(pool, finding, text);
}

void narrate(struct pool *pool, struct model_finding *finding) {
    if (finding->edge_count && is_misuse(finding)) {
        narrate_misuse(pool, finding);
        finding->explanation = paragraph(pool, finding, finding->title);
        return;
    }
    if (finding->edge_count && is_stall(finding)) {
        narrate_stall(pool, finding);
    } else {
        finding->title = title(pool, finding);
        finding->why = why(pool, finding);
        finding->advice = advice(pool, finding);
        tell_steps(pool, finding);
    }
    if (is_reread(finding))
        narrate_reread(pool, finding);
    finding->explanation = finding->edge_count ? explanation(pool, finding) : finding->why;
}
