#include "engine/search.h"
#include "engine/lifecycle.h"

#include "engine/file_lock.h"
#include "engine/lock_class.h"
#include "engine/past.h"
#include "engine/semaphore.h"
#include "platform/memory.h"

/* Constraints that a verdict gives up. */
enum relax {
    RELAX_TIMED = 1,
    RELAX_ORDER = 2, /* and semaphores that signal, or are handed on */
    RELAX_GATE = 4,
    RELAX_THREAD = 8
};

static const struct {
    enum lgr_verdict verdict;
    unsigned relax;
} phases[] = {
    {LGR_VERDICT_FEASIBLE, 0},
    {LGR_VERDICT_TIMED, RELAX_TIMED},
    {LGR_VERDICT_ORDERED, RELAX_TIMED | RELAX_ORDER},
    {LGR_VERDICT_GATED, RELAX_TIMED | RELAX_ORDER | RELAX_GATE},
    {LGR_VERDICT_SINGLE_THREAD, RELAX_TIMED | RELAX_ORDER | RELAX_GATE | RELAX_THREAD},
};

/* One search at a time: under the graph lock. */
static struct {
    uint64_t budget;
    uint64_t searches, steps_total;
    /* the running search */
    struct lge_step *path; /* chosen so far */
    struct cursor {        /* where the next choice of a level goes on */
        struct lge_edge *edge;
        uint32_t dependency;
    } * cursors;
    size_t room;
    struct lge_node **queue;
    size_t queue_room;
    struct lge_node *goal, *root;
    uint64_t stamp, steps, limit;
    size_t next_length; /* shortest length cut off */
    unsigned relax;
} search;

void lge_search_start(uint64_t budget) { search.budget = budget; }

void lge_search_figures(uint64_t *searches, uint64_t *steps) {
    *searches = search.searches;
    *steps = search.steps_total;
}

/* ---- distances to the goal ---- */

static bool reserve_queue(size_t need) {
    if (need <= search.queue_room)
        return true;
    struct lge_node **queue =
        lgp_resize(search.queue, search.queue_room * sizeof *queue, need * 2 * sizeof *queue);
    if (queue == NULL)
        return false;
    search.queue = queue;
    search.queue_room = need * 2;
    return true;
}

static bool measure_distances(void) {
    if (!reserve_queue(search.root->size + 1))
        return false;
    search.stamp = lge_order_stamp();
    size_t count = 0;
    search.queue[count++] = search.goal;
    search.goal->distance_stamp = search.stamp;
    search.goal->distance = 0;
    for (size_t i = 0; i < count; i++) {
        struct lge_node *node = search.queue[i];
        for (struct lge_edge *e = node->in; e != NULL; e = e->next_in) {
            struct lge_node *from = e->from;
            if (from->root != search.root || from->distance_stamp == search.stamp)
                continue;
            from->distance_stamp = search.stamp;
            from->distance = node->distance + 1;
            search.queue[count++] = from;
        }
    }
    return true;
}

/* ---- constraints ---- */

static bool together(const struct lge_step *one, const struct lge_step *other) {
    const struct lge_dependency *a = one->dependency, *b = other->dependency;
    if (!(search.relax & RELAX_THREAD) && a->thread == b->thread)
        return false;
    if (!(search.relax & RELAX_GATE) && lge_dependency_gate(a, b) != 0)
        return false;
    return (search.relax & RELAX_ORDER) || lge_dependency_order(a, b) == NULL;
}

/* A lock queues readers behind a waiting writer: then two shared uses block,
 * provided that somebody writes; for a while only, if every writer gives up. */
static bool readers_block(const struct lge_node *node, const struct lge_dependency *request) {
    if (!(request->flags & LGE_WRITER_PREFERRED) || node->is_class)
        return false;
    enum lge_written needed = search.relax & RELAX_TIMED ? LGE_WRITTEN_TIMED : LGE_WRITTEN;
    return ((const struct lge_lock *)node)->written >= needed;
}

static bool overlap(const struct lge_dependency *a, const struct lge_dependency *b) {
    return a->thread != b->thread && ((search.relax & RELAX_GATE) || lge_dependency_gate(a, b) == 0) &&
           ((search.relax & RELAX_ORDER) || lge_dependency_order(a, b) == NULL);
}

static bool overlaps_all(const struct lge_dependency *one, const struct lge_dependency **others,
                         uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!overlap(one, others[i]))
            return false;
    return true;
}

static bool is_semaphore(const struct lge_node *node) {
    return !node->is_class && ((const struct lge_lock *)node)->kind == LGR_LOCK_SEMAPHORE;
}

/* All slots of a semaphore may be taken at once by threads that are at this
 * edge, `holder` among them.  Taking the first that fit may miss a set that
 * would; what is found is one. */
static bool slots_taken(const struct lge_edge *edge, const struct lge_dependency *request,
                        const struct lge_dependency *holder) {
    if (!is_semaphore(edge->from))
        return false;
    const struct lge_dependency *takers[LGE_SEMAPHORE_MOST_SLOTS];
    uint32_t slots = lge_semaphore_slots(lge_node_number(edge->from)), count = 0;
    if (slots == 0 || slots > LGE_SEMAPHORE_MOST_SLOTS)
        return false;
    takers[count++] = holder;
    for (uint32_t i = 0; i < edge->count && count < slots; i++)
        if (overlap(edge->dependencies[i], request) && overlaps_all(edge->dependencies[i], takers, count))
            takers[count++] = edge->dependencies[i];
    return count == slots;
}

/* Would `request`, asking for what `edge` starts from, wait for `holder`? */
static bool blocks(const struct lge_edge *edge, const struct lge_dependency *request,
                   const struct lge_dependency *holder) {
    const struct lge_node *node = edge->from;
    const struct lgr_held *held = lge_dependency_hold(holder, lge_node_number(node), node->is_class);
    if (held == NULL || lge_file_lock_shared(held->lock))
        return false;
    return request->mode == LGR_EXCLUSIVE || held->mode == LGR_EXCLUSIVE || readers_block(node, request) ||
           slots_taken(edge, request, holder);
}

/* Who posts it need not hold it: nothing above a note rests on that. */
static bool signals(const struct lge_step *step) {
    const struct lge_node *from = step->edge->from;
    if (!from->is_class)
        return is_semaphore(from) && lge_semaphore_signals(lge_node_number(from));
    const struct lgr_held *held = lge_dependency_hold(step->dependency, lge_node_number(from), true);
    return held != NULL && lge_semaphore_signals(held->lock);
}

/* A semaphore of one slot was taken under a lock that was given up since.  The first
 * of a group does so, who counts himself under that lock ("lightswitch"): the last
 * one, who need not be the same, gives the semaphore back.  So what its taker asks for
 * meanwhile keeps nobody from it for certain.  If nobody counts, it hangs as soon as
 * two meet. */
static bool handed_on(const struct lge_step *step) {
    const struct lge_node *from = step->edge->from;
    if (step->dependency->handed == 0)
        return false;
    const struct lgr_held *held =
        lge_dependency_hold(step->dependency, lge_node_number(from), from->is_class);
    return held != NULL && lge_dependency_handed(step->dependency, held);
}

/* A part of the cycle holds up another one than the part before it: a chord, and
 * a shorter ring of the same evidence tells it better. */
static bool chord(size_t depth, const struct lge_step *step) {
    const struct lge_dependency *before = search.path[depth - 1].dependency;
    bool closes = step->edge->to == search.goal;
    for (size_t i = 0; i < depth; i++) {
        const struct lge_step *other = &search.path[i];
        if (i > 0 && blocks(other->edge, search.path[i - 1].dependency, step->dependency))
            return true;
        if (i + 1 < depth && blocks(step->edge, before, other->dependency))
            return true;
        if (i > 0 && closes && blocks(search.path[0].edge, step->dependency, other->dependency))
            return true;
    }
    return false;
}

static bool all_hold(const struct lge_step *steps, size_t count, uint64_t id) {
    for (size_t i = 0; i < count; i++)
        if (lge_dependency_hold(steps[i].dependency, id, false) == NULL)
            return false;
    return true;
}

/* A semaphore around all parts of the cycle that has fewer slots than the cycle has
 * threads: one of them is always outside.  0: there is none. */
static uint64_t room_too_small(const struct lge_step *steps, size_t count) {
    const struct lge_dependency *first = steps[0].dependency;
    for (uint32_t i = 0; i < first->held_count; i++) {
        uint64_t id = first->held[i].lock;
        if (first->held[i].mode != LGR_SHARED || !all_hold(steps + 1, count - 1, id))
            continue;
        uint32_t slots = lge_semaphore_slots(id);
        if (slots != 0 && slots < count)
            return id;
    }
    return 0;
}

/* `step` would close the cycle. */
static bool too_many(size_t depth, const struct lge_step *step) {
    search.path[depth] = *step;
    return room_too_small(search.path, depth + 1) != 0;
}

static bool fits(size_t depth, struct lge_edge *edge, struct lge_dependency *candidate) {
    const struct lge_step step = {edge, candidate};
    if (!(search.relax & RELAX_TIMED) && (candidate->flags & LGE_TIMED))
        return false;
    if (!(search.relax & RELAX_ORDER) && (signals(&step) || handed_on(&step)))
        return false;
    if (!blocks(edge, search.path[depth - 1].dependency, candidate))
        return false;
    if (edge->to == search.goal && !blocks(search.path[0].edge, candidate, search.path[0].dependency))
        return false;
    for (size_t i = 0; i < depth; i++)
        if (!together(&search.path[i], &step))
            return false;
    if (!(search.relax & RELAX_GATE))
        return edge->to != search.goal || !too_many(depth, &step);
    return !chord(depth, &step);
}

/* ---- enumeration ---- */

static bool reserve_levels(size_t need) {
    if (need <= search.room)
        return true;
    size_t room = need * 2;
    struct lge_step *path = lgp_resize(search.path, search.room * sizeof *path, room * sizeof *path);
    struct cursor *cursors =
        path == NULL ? NULL
                     : lgp_resize(search.cursors, search.room * sizeof *cursors, room * sizeof *cursors);
    if (path != NULL)
        search.path = path;
    if (cursors != NULL)
        search.cursors = cursors;
    if (path == NULL || cursors == NULL)
        return false;
    search.room = room;
    return true;
}

/* Can the path of `length` edges so far, continued by this edge, still reach
 * the goal within the limit? */
static bool leads_on(const struct lge_edge *edge, size_t length, size_t limit) {
    const struct lge_node *to = edge->to;
    if (to->root != search.root || to->on_path || to->distance_stamp != search.stamp)
        return false;
    size_t whole = length + 1 + to->distance;
    if (whole <= limit)
        return true;
    if (whole < search.next_length)
        search.next_length = whole;
    return false;
}

/* The next choice at this level: sets path[depth] and moves the cursor. */
static bool choose(size_t depth, size_t limit) {
    struct cursor *at = &search.cursors[depth];
    for (; at->edge != NULL; at->edge = at->edge->next_out, at->dependency = 0) {
        if (!leads_on(at->edge, depth, limit))
            continue;
        while (at->dependency < at->edge->count) {
            struct lge_dependency *candidate = at->edge->dependencies[at->dependency++];
            if (++search.steps > search.limit)
                return false;
            if (!fits(depth, at->edge, candidate))
                continue;
            search.path[depth] = (struct lge_step){at->edge, candidate};
            return true;
        }
    }
    return false;
}

/* Depth-first up to `limit` edges; the length of the cycle found, or 0. */
static size_t descend(size_t limit) {
    size_t depth = 1;
    search.cursors[1] = (struct cursor){search.path[0].edge->to->out, 0};
    search.path[0].edge->to->on_path = true;
    size_t found = 0;
    while (depth > 0 && found == 0) {
        if (!choose(depth, limit)) {
            depth--;
            search.path[depth].edge->to->on_path = false;
            continue;
        }
        struct lge_node *to = search.path[depth].edge->to;
        if (to == search.goal) {
            found = depth + 1;
        } else {
            to->on_path = true;
            search.cursors[++depth] = (struct cursor){to->out, 0};
        }
    }
    while (depth > 0)
        search.path[--depth].edge->to->on_path = false;
    return found;
}

/* Lengths from the shortest possible one upwards, as long as something was cut
 * off by the limit. */
static size_t deepen(void) {
    struct lge_node *start = search.path[0].edge->to;
    if (start->distance_stamp != search.stamp)
        return 0;
    size_t limit = start->distance + 1;
    while (search.steps <= search.limit) {
        search.next_length = SIZE_MAX;
        size_t found = descend(limit);
        if (found != 0 || search.next_length == SIZE_MAX)
            return found;
        limit = search.next_length;
    }
    return 0;
}

/* The same along given edges, which are on the path already. */
static size_t descend_along(size_t length) {
    size_t depth = 1;
    search.cursors[1].dependency = 0;
    while (depth > 0) {
        struct lge_step *step = &search.path[depth];
        uint32_t *next = &search.cursors[depth].dependency;
        if (*next == step->edge->count || ++search.steps > search.limit) {
            depth--;
            continue;
        }
        step->dependency = step->edge->dependencies[(*next)++];
        if (!fits(depth, step->edge, step->dependency))
            continue;
        if (++depth == length)
            return length;
        search.cursors[depth].dependency = 0;
    }
    return 0;
}

/* ---- verdict ---- */

static void explain_pair(struct lge_cycle *cycle, const struct lge_dependency *a,
                         const struct lge_dependency *b) {
    const struct lge_past_entry *entry;
    uint64_t gate;
    if (cycle->verdict == LGR_VERDICT_SINGLE_THREAD && a->thread == b->thread) {
        cycle->reason_kind = LGR_REASON_THREAD;
        cycle->reason_id = a->thread;
    } else if (cycle->verdict == LGR_VERDICT_GATED && (gate = lge_dependency_gate(a, b)) != 0) {
        cycle->reason_kind = LGR_REASON_GATE;
        cycle->reason_id = gate;
    } else if (cycle->verdict == LGR_VERDICT_ORDERED && (entry = lge_dependency_order(a, b)) != NULL) {
        cycle->reason_kind = (enum lgr_reason)entry->reason;
        cycle->reason_id = entry->reason_id;
    }
}

static bool lacks_reason(const struct lge_cycle *cycle) {
    return cycle->verdict == LGR_VERDICT_ORDERED && cycle->reason_kind == LGR_REASON_NONE;
}

static void explain(struct lge_cycle *cycle) {
    for (size_t i = 0; i < cycle->length && cycle->reason_kind == LGR_REASON_NONE; i++)
        for (size_t j = i + 1; j < cycle->length && cycle->reason_kind == LGR_REASON_NONE; j++)
            explain_pair(cycle, cycle->steps[i].dependency, cycle->steps[j].dependency);
    bool gated = cycle->verdict == LGR_VERDICT_GATED && cycle->reason_kind == LGR_REASON_NONE;
    uint64_t room = gated ? room_too_small(cycle->steps, cycle->length) : 0;
    if (room != 0) {
        cycle->reason_kind = LGR_REASON_GATE;
        cycle->reason_id = room;
    }
    /* Else graded so low by a semaphore, which signals or is handed on. */
    for (size_t i = 0; i < cycle->length && lacks_reason(cycle); i++)
        if (handed_on(&cycle->steps[i]))
            cycle->reason_kind = LGR_REASON_SWITCH;
    if (lacks_reason(cycle))
        cycle->reason_kind = LGR_REASON_SEMAPHORE;
}

/* Along the path's own edges where a length is given. */
static void try_phases(struct lge_cycle *cycle, enum lgr_verdict above, enum lgr_verdict at_most,
                       size_t along) {
    for (size_t i = 0; i < sizeof phases / sizeof phases[0] && phases[i].verdict > above; i++) {
        if (phases[i].verdict > at_most)
            continue;
        search.relax = phases[i].relax;
        if (!(search.relax & RELAX_TIMED) && (search.path[0].dependency->flags & LGE_TIMED))
            continue;
        if (!(search.relax & RELAX_ORDER) && (signals(&search.path[0]) || handed_on(&search.path[0])))
            continue;
        search.steps = 0;
        cycle->length = along ? descend_along(along) : deepen();
        search.steps_total += search.steps;
        if (search.steps > search.limit)
            cycle->exhausted = true;
        if (cycle->length == 0)
            continue;
        cycle->verdict = phases[i].verdict;
        return;
    }
}

static void run(struct lge_cycle *cycle, enum lgr_verdict above, enum lgr_verdict at_most, size_t along,
                uint64_t budget_factor) {
    search.limit = search.budget * budget_factor;
    try_phases(cycle, above, at_most, along);
    cycle->steps = search.path;
    if (cycle->verdict != LGR_VERDICT_NONE)
        explain(cycle);
}

struct lge_cycle lge_search(struct lge_edge *edge, struct lge_dependency *fixed, enum lgr_verdict above,
                            enum lgr_verdict at_most, uint64_t budget_factor) {
    struct lge_cycle cycle = {.verdict = LGR_VERDICT_NONE};
    search.goal = edge->from;
    search.root = edge->from->root;
    if (search.root == NULL || edge->to->root != search.root)
        return cycle;
    if (!reserve_levels(search.root->size + 2) || !measure_distances())
        return cycle;
    search.searches++;
    search.path[0] = (struct lge_step){edge, fixed};
    run(&cycle, above, at_most, 0, budget_factor);
    return cycle;
}

struct lge_cycle lge_search_along(struct lge_edge *const *edges, size_t length, struct lge_dependency *fixed,
                                  enum lgr_verdict above, uint64_t budget_factor) {
    struct lge_cycle cycle = {.verdict = LGR_VERDICT_NONE};
    if (!reserve_levels(length + 1))
        return cycle;
    search.goal = edges[0]->from;
    for (size_t i = 0; i < length; i++)
        search.path[i] = (struct lge_step){edges[i], fixed};
    run(&cycle, above, LGR_VERDICT_FEASIBLE, length, budget_factor);
    return cycle;
}

void lge_search_reset(void) {
    lgp_free(search.path, search.room * sizeof *search.path);
    lgp_free(search.cursors, search.room * sizeof *search.cursors);
    lgp_free(search.queue, search.queue_room * sizeof *search.queue);
    search.path = NULL;
    search.cursors = NULL;
    search.queue = NULL;
    search.room = search.queue_room = 0;
    search.searches = search.steps_total = 0;
}

struct lgp_part lge_search_part(void) {
    return (struct lgp_part){NULL, (void *)&search, sizeof search};
}
