#include "engine/open_cycle.h"

#include "engine/finding.h"
#include "engine/lifecycle.h"
#include "platform/memory.h"

/* Those reported last: each costs a look per new evidence. */
enum { KEPT = 512 };

/* A reported cycle, open while its verdict is below feasible.  Locks are numbers,
 * as any may go meanwhile; the smallest comes first. */
struct open_cycle {
    struct open_cycle *next;
    enum lgr_verdict verdict;
    size_t length;
    uint64_t locks[];
};

static struct {
    struct open_cycle *first;
    size_t count;
    struct lge_edge **edges; /* of the one that is looked at */
    size_t room;
} open;

static size_t size_of(size_t length) { return sizeof(struct open_cycle) + length * sizeof(uint64_t); }

static void close_cycle(struct open_cycle **link) {
    struct open_cycle *gone = *link;
    *link = gone->next;
    lgp_free(gone, size_of(gone->length));
    open.count--;
}

static uint64_t lock_at(const struct lge_cycle *cycle, size_t i) {
    return lge_node_number(cycle->steps[i % cycle->length].edge->from);
}

static size_t smallest(const struct lge_cycle *cycle) {
    size_t first = 0;
    for (size_t i = 1; i < cycle->length; i++)
        if (lock_at(cycle, i) < lock_at(cycle, first))
            first = i;
    return first;
}

static bool is_cycle(const struct open_cycle *known, const struct lge_cycle *cycle) {
    if (known->length != cycle->length)
        return false;
    size_t first = smallest(cycle);
    for (size_t i = 0; i < cycle->length; i++)
        if (known->locks[i] != lock_at(cycle, first + i))
            return false;
    return true;
}

static struct open_cycle *find(const struct lge_cycle *cycle) {
    struct open_cycle *known = open.first;
    while (known != NULL && !is_cycle(known, cycle))
        known = known->next;
    return known;
}

static void close_oldest(void) {
    struct open_cycle **link = &open.first;
    while ((*link)->next != NULL)
        link = &(*link)->next;
    close_cycle(link);
}

static struct open_cycle *add(const struct lge_cycle *cycle) {
    struct open_cycle *made = lgp_alloc(size_of(cycle->length));
    if (made == NULL)
        return NULL;
    if (open.count == KEPT)
        close_oldest();
    made->verdict = cycle->verdict;
    made->length = cycle->length;
    size_t first = smallest(cycle);
    for (size_t i = 0; i < cycle->length; i++)
        made->locks[i] = lock_at(cycle, first + i);
    made->next = open.first;
    open.first = made;
    open.count++;
    return made;
}

static bool reserve(size_t length) {
    if (length <= open.room)
        return true;
    struct lge_edge **edges = lgp_resize(open.edges, open.room * sizeof *edges, length * 2 * sizeof *edges);
    if (edges == NULL)
        return false;
    open.edges = edges;
    open.room = length * 2;
    return true;
}

/* False when one of its edges is gone. */
static bool collect_edges(const struct open_cycle *cycle, size_t start) {
    if (!reserve(cycle->length))
        return false;
    bool whole = true;
    lge_table_lock();
    for (size_t i = 0; i < cycle->length && whole; i++) {
        const struct lge_lock *from = lge_lock_find(cycle->locks[(start + i) % cycle->length]);
        const struct lge_lock *to = lge_lock_find(cycle->locks[(start + i + 1) % cycle->length]);
        open.edges[i] = from == NULL || to == NULL ? NULL : lge_edge_find(&from->node, &to->node);
        whole = open.edges[i] != NULL;
    }
    lge_table_unlock();
    return whole;
}

/* Where the edge lies in the cycle; its length when it does not. */
static size_t position(const struct open_cycle *cycle, uint64_t from, uint64_t to) {
    size_t i = 0;
    while (i < cycle->length && (cycle->locks[i] != from || cycle->locks[(i + 1) % cycle->length] != to))
        i++;
    return i;
}

/* Grades the cycle with this dependency for edges[0]; reports what is worse. */
static bool grade(struct open_cycle *cycle, struct lge_dependency *dependency, uint64_t factor) {
    struct lge_cycle worse = lge_search_along(open.edges, cycle->length, dependency, cycle->verdict, factor);
    if (worse.verdict > cycle->verdict) {
        cycle->verdict = worse.verdict;
        lge_report_cycle(&worse);
    }
    return !worse.exhausted;
}

bool lge_open_cycles_look(struct lge_edge *edge, struct lge_dependency *dependency, uint64_t factor) {
    uint64_t from = lge_node_number(edge->from), to = lge_node_number(edge->to);
    bool enough = true;
    for (struct open_cycle **link = &open.first; *link != NULL;) {
        struct open_cycle *cycle = *link;
        bool is_open = cycle->verdict < LGR_VERDICT_FEASIBLE;
        size_t start = is_open ? position(cycle, from, to) : cycle->length;
        if (start < cycle->length && !collect_edges(cycle, start)) {
            close_cycle(link);
            continue;
        }
        if (start < cycle->length)
            enough = grade(cycle, dependency, factor) && enough;
        link = &cycle->next;
    }
    return enough;
}

/* With each dependency of its first edge. */
static bool grade_anew(struct open_cycle *cycle, uint64_t factor) {
    bool enough = true;
    for (uint32_t i = 0; i < open.edges[0]->count && cycle->verdict < LGR_VERDICT_FEASIBLE; i++)
        enough = grade(cycle, open.edges[0]->dependencies[i], factor) && enough;
    return enough;
}

bool lge_open_cycle_report(const struct lge_cycle *cycle, uint64_t factor) {
    lge_report_cycle(cycle);
    if (cycle->steps[0].edge->from->is_class)
        return true;
    struct open_cycle *known = find(cycle);
    if (known != NULL) {
        if (cycle->verdict > known->verdict)
            known->verdict = cycle->verdict;
        return true;
    }
    known = add(cycle);
    return known == NULL || !collect_edges(known, 0) || grade_anew(known, factor);
}

void lge_open_cycles_reset(void) {
    while (open.first != NULL)
        close_cycle(&open.first);
    lgp_free(open.edges, open.room * sizeof *open.edges);
    open.edges = NULL;
    open.room = 0;
}

struct lgp_part lge_open_cycles_part(void) {
    return (struct lgp_part){NULL, &open, sizeof open};
}
