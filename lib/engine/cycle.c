#include "engine/cycle.h"

#include "engine/check.h"
#include "engine/file_lock.h"
#include "engine/lifecycle.h"
#include "engine/open_cycle.h"
#include "engine/search.h"
#include "engine/semaphore.h"
#include "platform/memory.h"
#include "platform/system.h"

/* Cycles that can be no more than notes are looked for this often; further ones
 * would bury the reader. */
enum { NOTES_LOOKED_FOR = 500 };
enum { LATER_FACTOR = 20 };
static const uint64_t burst_ns = 500000000, at_end_ns = 1000000000;
enum { SHARE_OF_TIME = 20 };

/* An edge to be searched later, with the last dependency that asked for it. */
struct postponed {
    uint64_t from, to;
    struct lge_dependency *dependency;
    struct postponed *next;
};

static struct {
    uint64_t start_ns, spent_ns;
    uint64_t notes; /* searches for notes */
    struct postponed *postponed;
} cycles;

void lge_cycle_start(void) { cycles.start_ns = lgp_monotonic_ns(); }

/* ---- what a component has in common ---- */

static bool holds_exclusively(const struct lge_dependency *dependency, uint64_t lock) {
    const struct lgr_held *held = lge_dependency_hold(dependency, lock, false);
    return held != NULL && held->mode == LGR_EXCLUSIVE;
}

/* Calls `visit` for every dependency inside the component until it says no. */
static bool each_inside(const struct lge_node *root, bool (*visit)(const struct lge_dependency *, uint64_t),
                        uint64_t argument) {
    const struct lge_node *node = root;
    do {
        for (const struct lge_edge *e = node->out; e != NULL; e = e->next_out)
            for (uint32_t i = 0; e->to->root == root && i < e->count; i++)
                if (!visit(e->dependencies[i], argument))
                    return false;
        node = node->member;
    } while (node != root);
    return true;
}

static bool made_by(const struct lge_dependency *dependency, uint64_t thread) {
    return dependency->thread == thread;
}

static void learn_facts(struct lge_node *root, const struct lge_dependency *dependency) {
    root->facts = true;
    root->gate = 0;
    for (uint32_t i = 0; i < dependency->held_count && root->gate == 0; i++)
        if (dependency->held[i].mode == LGR_EXCLUSIVE &&
            each_inside(root, holds_exclusively, dependency->held[i].lock))
            root->gate = dependency->held[i].lock;
    root->author = each_inside(root, made_by, dependency->thread) ? dependency->thread : 0;
}

static void update_facts(struct lge_node *root, const struct lge_dependency *dependency) {
    if (!root->facts)
        learn_facts(root, dependency);
    if (root->gate != 0 && (!holds_exclusively(dependency, root->gate) || lge_semaphore_signals(root->gate) ||
                            lge_file_lock_shared(root->gate)))
        root->gate = 0;
    if (root->author != dependency->thread)
        root->author = 0;
}

static enum lgr_verdict ceiling(const struct lge_node *root) {
    if (root->author != 0)
        return LGR_VERDICT_SINGLE_THREAD;
    return root->gate != 0 ? LGR_VERDICT_GATED : LGR_VERDICT_FEASIBLE;
}

/* ---- searching ---- */

static bool affordable(void) {
    return cycles.spent_ns < burst_ns + (lgp_monotonic_ns() - cycles.start_ns) / SHARE_OF_TIME;
}

static struct postponed *find_postponed(uint64_t from, uint64_t to) {
    struct postponed *at = cycles.postponed;
    while (at != NULL && (at->from != from || at->to != to))
        at = at->next;
    return at;
}

static struct postponed *add_postponed(uint64_t from, uint64_t to) {
    struct postponed *made = lgp_alloc(sizeof *made);
    if (made == NULL)
        return NULL;
    *made = (struct postponed){.from = from, .to = to, .next = cycles.postponed};
    cycles.postponed = made;
    return made;
}

static void postpone(struct lge_edge *edge, struct lge_dependency *dependency) {
    if (edge->from->is_class)
        return;
    uint64_t from = lge_node_number(edge->from), to = lge_node_number(edge->to);
    struct postponed *later = edge->postponed ? find_postponed(from, to) : add_postponed(from, to);
    if (later == NULL)
        return;
    edge->postponed = true;
    lge_dependency_drop(later->dependency);
    later->dependency = lge_dependency_keep(dependency);
}

static void remember_length(const struct lge_cycle *cycle) {
    for (size_t i = 0; i < cycle->length; i++)
        if (cycle->steps[i].edge->cycle_length < cycle->length)
            cycle->steps[i].edge->cycle_length = (uint32_t)cycle->length;
}

/* Some request for the lock `to` under the lock `from` is this dependency. */
static bool carried(uint64_t from, uint64_t to, const struct lge_dependency *dependency) {
    const struct lge_lock *source = lge_lock_find(from), *target = lge_lock_find(to);
    const struct lge_edge *edge =
        source == NULL || target == NULL ? NULL : lge_edge_find(&source->node, &target->node);
    for (uint32_t i = 0; edge != NULL && i < edge->count; i++)
        if (edge->dependencies[i] == dependency)
            return true;
    return false;
}

/* A cycle of classes whose every lock meets itself is no pattern of classes:
 * the same cycle of locks was judged before. */
static bool of_same_locks(const struct lge_cycle *cycle) {
    bool same = true;
    lge_table_lock();
    for (size_t i = 0; i < cycle->length && same; i++) {
        const struct lge_step *step = &cycle->steps[i], *next = &cycle->steps[(i + 1) % cycle->length];
        const struct lgr_held *held =
            lge_dependency_hold(step->dependency, lge_node_number(step->edge->from), true);
        const struct lgr_held *wanted =
            lge_dependency_hold(next->dependency, lge_node_number(next->edge->from), true);
        same = carried(held->lock, wanted->lock, step->dependency);
    }
    lge_table_unlock();
    return same;
}

/* False: the budget ran out. */
static bool tell(const struct lge_cycle *cycle, uint64_t factor) {
    if (cycle->verdict == LGR_VERDICT_NONE)
        return true;
    if (cycle->steps[0].edge->from->is_class && of_same_locks(cycle))
        return true;
    remember_length(cycle);
    return lge_open_cycle_report(cycle, factor);
}

/* False: the budget ran out. */
static bool search(struct lge_edge *edge, struct lge_dependency *dependency, enum lgr_verdict above,
                   enum lgr_verdict at_most, uint64_t factor) {
    uint64_t start = lgp_monotonic_ns();
    struct lge_cycle cycle = lge_search(edge, dependency, above, at_most, factor);
    bool enough = !cycle.exhausted;
    enough = tell(&cycle, factor) && enough;
    if (!edge->from->is_class)
        enough = lge_open_cycles_look(edge, dependency, factor) && enough;
    cycles.spent_ns += lgp_monotonic_ns() - start;
    return enough;
}

/* In the class graph only what could really hang is worth a word. */
static enum lgr_verdict floor_of(const struct lge_edge *edge) {
    if (edge->from->is_class || cycles.notes > NOTES_LOOKED_FOR)
        return LGR_VERDICT_ORDERED;
    return LGR_VERDICT_NONE;
}

void lge_cycle_look(struct lge_edge *edge, struct lge_dependency *dependency) {
    struct lge_node *root = edge->from->root;
    update_facts(root, dependency);
    enum lgr_verdict at_most = ceiling(root), above = floor_of(edge);
    if (at_most <= above)
        return;
    if (at_most <= LGR_VERDICT_ORDERED)
        cycles.notes++;
    if (!affordable() || !search(edge, dependency, above, at_most, 1))
        postpone(edge, dependency);
}

/* ---- the end ---- */

static void search_later(const struct postponed *later) {
    lge_table_lock();
    struct lge_lock *from = lge_lock_find(later->from), *to = lge_lock_find(later->to);
    struct lge_edge *edge = from == NULL || to == NULL ? NULL : lge_edge_find(&from->node, &to->node);
    lge_table_unlock();
    if (edge != NULL && !search(edge, later->dependency, floor_of(edge), LGR_VERDICT_FEASIBLE, LATER_FACTOR))
        lge_degrade(LGR_DEGRADED_SEARCH);
}

static struct postponed *take_postponed(void) {
    struct postponed *later = cycles.postponed;
    if (later != NULL)
        cycles.postponed = later->next;
    return later;
}

static void free_postponed(struct postponed *later) {
    lge_dependency_drop(later->dependency);
    lgp_free(later, sizeof *later);
}

void lge_cycle_finish(void) {
    lge_graph_lock();
    uint64_t end = lgp_monotonic_ns() + at_end_ns;
    for (struct postponed *later; (later = take_postponed()) != NULL; free_postponed(later)) {
        if (lgp_monotonic_ns() < end)
            search_later(later);
        else
            lge_degrade(LGR_DEGRADED_SEARCH);
    }
    lge_graph_unlock();
}

void lge_cycle_reset(void) {
    for (struct postponed *later; (later = take_postponed()) != NULL;)
        free_postponed(later);
    cycles.notes = cycles.spent_ns = 0;
    lge_open_cycles_reset();
}

struct lgp_part lge_cycles_part(void) {
    return (struct lgp_part){NULL, &cycles, sizeof cycles};
}
