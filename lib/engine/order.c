#include "engine/order.h"
#include "engine/lifecycle.h"

#include "engine/graph.h"
#include "platform/memory.h"

/* A growing list of component roots, kept for the next insertion. */
struct list {
    struct lge_node **items;
    size_t count, room;
};

static struct {
    int64_t lowest, highest; /* places given out */
    uint64_t stamp;
    uint64_t moves;
    struct list forward, backward, both;
    int64_t *places;
    size_t places_room;
} order;

uint64_t lge_order_stamp(void) { return ++order.stamp; }
uint64_t lge_order_moves(void) { return order.moves; }

void lge_order_place(struct lge_node *node, bool first) {
    node->placed = true;
    node->root = node;
    node->member = node;
    node->size = 1;
    node->order = first ? --order.lowest : ++order.highest;
}

static bool push(struct list *list, struct lge_node *node) {
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct lge_node **items = lgp_resize(list->items, list->room * sizeof *items, room * sizeof *items);
        if (items == NULL)
            return false;
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = node;
    return true;
}

/* Marks the neighbour's component and queues it when it lies within the limit. */
static void visit(struct list *found, struct lge_node *neighbour, uint64_t stamp, int64_t limit,
                  bool forwards) {
    struct lge_node *root = neighbour->root;
    if (root->stamp == stamp)
        return;
    if (forwards ? root->order > limit : root->order < limit)
        return;
    if (push(found, root))
        root->stamp = stamp;
}

/* All components reachable from `start` (forwards or backwards) without passing
 * `limit`: breadth first, the list is its own queue. */
static void reach(struct list *found, struct lge_node *start, uint64_t stamp, int64_t limit, bool forwards) {
    found->count = 0;
    visit(found, start, stamp, limit, forwards);
    for (size_t i = 0; i < found->count; i++) {
        struct lge_node *root = found->items[i], *node = root;
        do {
            if (forwards)
                for (struct lge_edge *e = node->out; e != NULL; e = e->next_out)
                    visit(found, e->to, stamp, limit, true);
            else
                for (struct lge_edge *e = node->in; e != NULL; e = e->next_in)
                    visit(found, e->from, stamp, limit, false);
            node = node->member;
        } while (node != root);
    }
}

static void sift(struct lge_node **items, size_t root, size_t count) {
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && items[child + 1]->order > items[child]->order)
            child++;
        if (items[root]->order >= items[child]->order)
            return;
        struct lge_node *swap = items[root];
        items[root] = items[child];
        items[child] = swap;
    }
}

/* Heapsort: in place, no recursion on the program's stack. */
static void sort_by_order(struct list *list) {
    for (size_t i = list->count / 2; i-- > 0;)
        sift(list->items, i, list->count);
    for (size_t n = list->count; n-- > 1;) {
        struct lge_node *swap = list->items[0];
        list->items[0] = list->items[n];
        list->items[n] = swap;
        sift(list->items, 0, n);
    }
}

static void watch_inner_edges(struct lge_node *node) {
    for (struct lge_edge *e = node->out; e != NULL; e = e->next_out)
        if (e->to->root == node->root)
            lge_watch(e);
    for (struct lge_edge *e = node->in; e != NULL; e = e->next_in)
        if (e->from->root == node->root)
            lge_watch(e);
}

static void merge(struct lge_node *into, struct lge_node *other) {
    struct lge_node *node = other;
    do {
        node->root = into;
        node = node->member;
    } while (node != other);
    struct lge_node *next = into->member;
    into->member = other->member;
    other->member = next;
    into->size += other->size;
    into->facts = false;
}

/* Merges all of order.both into the largest of them and returns that one. */
static struct lge_node *merge_all(void) {
    struct lge_node *largest = order.both.items[0];
    for (size_t i = 1; i < order.both.count; i++)
        if (order.both.items[i]->size > largest->size)
            largest = order.both.items[i];
    for (size_t i = 0; i < order.both.count; i++)
        if (order.both.items[i] != largest)
            merge(largest, order.both.items[i]);
    struct lge_node *node = largest;
    do {
        watch_inner_edges(node);
        node = node->member;
    } while (node != largest);
    return largest;
}

/* Moves what both searches reached to order.both; the rest of each stays. */
static void split(uint64_t backward_stamp) {
    order.both.count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < order.forward.count; i++) {
        struct lge_node *root = order.forward.items[i];
        if (root->stamp == backward_stamp) {
            if (!push(&order.both, root))
                return;
        } else {
            order.forward.items[kept++] = root;
        }
    }
    order.forward.count = kept;
}

static bool collect_places(void) {
    size_t need = order.forward.count + order.backward.count;
    if (need > order.places_room) {
        int64_t *places =
            lgp_resize(order.places, order.places_room * sizeof *places, need * 2 * sizeof *places);
        if (places == NULL)
            return false;
        order.places = places;
        order.places_room = need * 2;
    }
    /* Both lists are sorted: merge their places. */
    size_t i = 0, j = 0, n = 0;
    while (i < order.forward.count || j < order.backward.count) {
        bool from_forward =
            j == order.backward.count ||
            (i < order.forward.count && order.forward.items[i]->order < order.backward.items[j]->order);
        order.places[n++] = from_forward ? order.forward.items[i++]->order : order.backward.items[j++]->order;
    }
    return true;
}

/* What leads to the source takes the lowest places, what the target leads to
 * the highest, the merged component one between; each group keeps its order. */
static void rearrange(struct lge_node *merged) {
    sort_by_order(&order.forward);
    sort_by_order(&order.backward);
    if (!collect_places())
        return;
    size_t low = 0, high = order.backward.count;
    for (size_t i = 0; i < order.backward.count; i++) {
        struct lge_node *root = order.backward.items[i];
        if (merged == NULL || root->root != merged)
            root->order = order.places[low++];
    }
    if (merged != NULL)
        merged->order = order.places[low];
    for (size_t i = 0; i < order.forward.count; i++)
        order.forward.items[i]->order = order.places[high + i];
}

enum lge_order_result lge_order_insert(struct lge_node *from, struct lge_node *to) {
    struct lge_node *source = from->root, *target = to->root;
    if (source == target)
        return LGE_ORDER_WITHIN;
    if (source->order < target->order)
        return LGE_ORDER_AGREES;
    order.moves++;
    uint64_t forward = lge_order_stamp();
    reach(&order.forward, target, forward, source->order, true);
    bool cycle = source->stamp == forward;
    uint64_t backward = lge_order_stamp();
    reach(&order.backward, source, backward, target->order, false);
    split(backward);
    struct lge_node *merged = cycle ? merge_all() : NULL;
    rearrange(merged);
    return cycle ? LGE_ORDER_MERGED : LGE_ORDER_MOVED;
}

/* The rest of its component stays one: too coarse costs a search, no more. */
void lge_order_remove(struct lge_node *node) {
    struct lge_node *root = node->root, *heir = node->member;
    if (heir == node)
        return;
    struct lge_node *before = node;
    while (before->member != node)
        before = before->member;
    before->member = heir;
    if (root != node) {
        root->size--;
        return;
    }
    heir->order = node->order;
    heir->size = node->size - 1;
    heir->facts = false;
    struct lge_node *at = heir;
    do {
        at->root = heir;
        at = at->member;
    } while (at != heir);
}

static void free_list(struct list *list) {
    lgp_free(list->items, list->room * sizeof(struct lge_node *));
    *list = (struct list){0};
}

void lge_order_reset(void) {
    free_list(&order.forward);
    free_list(&order.backward);
    free_list(&order.both);
    lgp_free(order.places, order.places_room * sizeof *order.places);
    order.places = NULL;
    order.places_room = 0;
    order.lowest = order.highest = 0;
    order.moves = 0;
}

struct lgp_part lge_order_part(void) {
    return (struct lgp_part){NULL, (void *)&order, sizeof order};
}
