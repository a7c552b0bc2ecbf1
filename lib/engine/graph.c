#include "engine/graph.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "engine/lock_class.h"
#include "engine/lock_note.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "engine/semaphore.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

/* Of one edge: dependencies kept that are equal but for thread and time, that
 * are equal but for the instances held, and in all.  Contexts make no
 * difference to a verdict, so the first ones stand for all (each pair of them is
 * in the evidence file). */
enum { KEPT_EQUAL = 3, KEPT_ALIKE = 16, KEPT_IN_ALL = 64 };

enum { PLACES = 4096 };

static struct {
    struct lgp_lock graph;
    struct lgp_lock table;
    struct lge_map locks;      /* by id */
    _Atomic size_t lock_count; /* of it; relaxed */
    /* How many of them have that number modulo PLACES; written under `table`.  Relaxed: who
     * destroys a lock comes after all who used it. */
    _Atomic uint32_t present[PLACES];
    struct lge_map edges;       /* by mixed ids */
    struct lge_map class_edges; /* by mixed ids */
    uint64_t seen_edges[2];     /* of locks and of classes: also those that went with their locks */
} all;

void lge_graph_lock(void) { lgp_lock(&all.graph); }
void lge_graph_unlock(void) { lgp_unlock(&all.graph); }
void lge_table_lock(void) { lgp_lock(&all.table); }
void lge_table_unlock(void) { lgp_unlock(&all.table); }

uint64_t lge_edges_count(bool of_classes) { return of_classes ? all.class_edges.count : all.edges.count; }
uint64_t lge_edges_seen(bool of_classes) { return all.seen_edges[of_classes]; }

uint64_t lge_node_number(const struct lge_node *node) {
    return node->is_class ? ((const struct lge_class *)node)->id : ((const struct lge_lock *)node)->id;
}

/* ---- locks ---- */

struct lge_lock *lge_lock_find(uint64_t id) {
    return lge_map_get(&all.locks, id);
}

static struct lge_lock *obtain(uint64_t id, const void *address, uint8_t kind, uint8_t attributes) {
    struct lge_lock *lock = lge_lock_find(id);
    if (lock != NULL)
        return lock;
    lock = lgp_alloc(sizeof *lock);
    if (lock == NULL)
        return NULL;
    if (!lge_map_add(&all.locks, id, lock)) {
        lgp_free(lock, sizeof *lock);
        return NULL;
    }
    atomic_store_explicit(&all.lock_count, all.locks.count, memory_order_relaxed);
    atomic_fetch_add_explicit(&all.present[id % PLACES], 1, memory_order_relaxed);
    lock->id = id;
    lock->address = address;
    lock->kind = kind;
    lock->attributes = attributes;
    return lock;
}

struct lge_lock *lge_lock_obtain(const struct lge_request *request) {
    return obtain(request->id, request->address, request->kind, request->attributes);
}

struct lge_lock *lge_lock_obtain_held(const struct lge_held *held) {
    return obtain(held->id, held->address, held->kind, held->attributes & LGE_HELD_LOCKS_OWN);
}

size_t lge_locks_count(void) { return atomic_load_explicit(&all.lock_count, memory_order_relaxed); }

void lge_locks_each(void (*visit)(struct lge_lock *lock, void *user), void *user) {
    for (size_t i = 0; i < all.locks.capacity; i++)
        if (all.locks.slots[i].value != NULL)
            visit(all.locks.slots[i].value, user);
}

static void remove_edges(struct lge_node *node) {
    while (node->in != NULL)
        lge_edge_remove(node->in);
    while (node->out != NULL)
        lge_edge_remove(node->out);
    while (node->leaf_out != NULL)
        lge_edge_remove(node->leaf_out);
}

static void free_edge(struct lge_edge *edge) {
    if (edge == NULL)
        return;
    for (uint32_t i = 0; i < edge->count; i++)
        lge_dependency_drop(edge->dependencies[i]);
    lgp_free(edge->dependencies, edge->room * sizeof(struct lge_dependency *));
    lgp_free(edge, sizeof *edge);
}

static void free_lock(struct lge_lock *lock) {
    free_edge(lock->writers);
    free_edge(lock->rereads);
    lgp_free(lock, sizeof *lock);
}

static void forget(struct lge_lock *lock) {
    remove_edges(&lock->node);
    lge_map_remove(&all.locks, lock->id, lock);
    atomic_fetch_sub_explicit(&all.present[lock->id % PLACES], 1, memory_order_relaxed);
    atomic_store_explicit(&all.lock_count, all.locks.count, memory_order_relaxed);
    free_lock(lock);
}

void lge_leaf_forget(uint64_t id) {
    struct lge_lock *lock = lge_lock_find(id);
    if (lock != NULL && !lock->node.placed)
        forget(lock);
}

/* Most locks that come and go are in no edge: then nobody's lock is taken for them. */
static bool may_be_known(uint64_t id) {
    return atomic_load_explicit(&all.present[id % PLACES], memory_order_relaxed) != 0;
}

void lge_lock_destroyed(uint64_t id) {
    lge_note_forget(id);
    if (!may_be_known(id))
        return;
    lgp_lock(&all.table);
    struct lge_lock *lock = lge_lock_find(id);
    bool leaf = lock != NULL && !lock->node.placed;
    if (leaf)
        forget(lock);
    lgp_unlock(&all.table);
    if (lock == NULL || leaf)
        return;
    lgp_lock(&all.graph);
    lgp_lock(&all.table);
    lock = lge_lock_find(id);
    if (lock != NULL) {
        if (lock->node.placed)
            lge_order_remove(&lock->node);
        forget(lock);
    }
    lgp_unlock(&all.table);
    lgp_unlock(&all.graph);
}

/* ---- edges ---- */

static struct lge_map *edge_map(const struct lge_node *node) {
    return node->is_class ? &all.class_edges : &all.edges;
}

static uint64_t edge_key(const struct lge_node *from, const struct lge_node *to) {
    return lge_mix(lge_node_number(from), lge_node_number(to));
}

struct lge_edge *lge_edge_find(const struct lge_node *from, const struct lge_node *to) {
    const struct lge_map *map = edge_map(from);
    for (size_t i = lge_map_first(map, edge_key(from, to)); i != SIZE_MAX; i = lge_map_next(map, i)) {
        struct lge_edge *edge = lge_map_at(map, i);
        if (edge->from == from && edge->to == to)
            return edge;
    }
    return NULL;
}

static struct lge_edge **out_list(struct lge_edge *edge) {
    return !edge->to->placed ? &edge->from->leaf_out : &edge->from->out;
}

static void link_out(struct lge_edge *edge) {
    struct lge_edge **list = out_list(edge);
    edge->previous_out = NULL;
    edge->next_out = *list;
    if (*list != NULL)
        (*list)->previous_out = edge;
    *list = edge;
}

static void unlink_out(struct lge_edge *edge) {
    if (edge->previous_out != NULL)
        edge->previous_out->next_out = edge->next_out;
    else
        *out_list(edge) = edge->next_out;
    if (edge->next_out != NULL)
        edge->next_out->previous_out = edge->previous_out;
}

static void link_in(struct lge_edge *edge) {
    edge->next_in = edge->to->in;
    if (edge->to->in != NULL)
        edge->to->in->previous_in = edge;
    edge->to->in = edge;
}

static void unlink_in(struct lge_edge *edge) {
    if (edge->previous_in != NULL)
        edge->previous_in->next_in = edge->next_in;
    else
        edge->to->in = edge->next_in;
    if (edge->next_in != NULL)
        edge->next_in->previous_in = edge->previous_in;
}

/* What leaves a semaphore of n slots needs evidence from n threads. */
static uint32_t evidence_wanted(const struct lge_node *from) {
    if (from->is_class || ((const struct lge_lock *)from)->kind != LGR_LOCK_SEMAPHORE)
        return 0;
    uint32_t slots = lge_semaphore_slots(lge_node_number(from));
    return slots > LGE_SEMAPHORE_MOST_SLOTS ? 0 : slots + 1;
}

struct lge_edge *lge_edge_add(struct lge_node *from, struct lge_node *to) {
    struct lge_edge *edge = lgp_alloc(sizeof *edge);
    if (edge == NULL)
        return NULL;
    if (!lge_map_add(edge_map(from), edge_key(from, to), edge)) {
        lgp_free(edge, sizeof *edge);
        return NULL;
    }
    edge->from = from;
    edge->to = to;
    edge->cycle_length = evidence_wanted(from);
    all.seen_edges[from->is_class]++;
    link_out(edge);
    link_in(edge);
    return edge;
}

void lge_edge_remove(struct lge_edge *edge) {
    unlink_out(edge);
    unlink_in(edge);
    lge_map_remove(edge_map(edge->from), edge_key(edge->from, edge->to), edge);
    free_edge(edge);
}

struct lge_edge *lge_evidence_of(struct lge_lock *lock) {
    struct lge_edge *made = lgp_alloc(sizeof *made);
    if (made != NULL)
        made->from = made->to = &lock->node;
    return made;
}

/* ---- evidence of an edge ---- */

static bool append(struct lge_edge *edge, struct lge_dependency *dependency) {
    if (edge->count == edge->room) {
        uint32_t room = edge->room ? edge->room * 2 : 1;
        struct lge_dependency **more =
            lgp_resize(edge->dependencies, edge->room * sizeof(struct lge_dependency *),
                       room * sizeof(struct lge_dependency *));
        if (more == NULL)
            return false;
        edge->dependencies = more;
        edge->room = room;
    }
    edge->dependencies[edge->count++] = lge_dependency_keep(dependency);
    return true;
}

static void replace(struct lge_dependency **slot, struct lge_dependency *dependency) {
    lge_dependency_drop(*slot);
    *slot = lge_dependency_keep(dependency);
}

/* Whether two of them may be of one thread; mostly each has one of its own, and looking
 * for a pair among dozens (semaphores have as many as slots) costs more than all the rest. */
static bool any_twice(const struct lge_edge *edge, uint64_t signature) {
    enum { WORDS = 4, BITS = 64 };
    uint64_t seen[WORDS] = {0};
    for (uint32_t i = 0; i < edge->count; i++) {
        const struct lge_dependency *at = edge->dependencies[i];
        uint64_t bit = (uint64_t)1 << at->thread % BITS, *word = &seen[at->thread / BITS % WORDS];
        if (at->signature != signature)
            continue;
        if ((*word & bit) != 0)
            return true;
        *word |= bit;
    }
    return false;
}

/* Among those equal but for thread and time, one after which its thread made
 * another; NULL: each is its thread's last. */
static struct lge_dependency **outdated(const struct lge_edge *edge, uint64_t signature) {
    if (!any_twice(edge, signature))
        return NULL;
    for (uint32_t i = 0; i < edge->count; i++)
        for (uint32_t j = i + 1; edge->dependencies[i]->signature == signature && j < edge->count; j++)
            if (edge->dependencies[j]->signature == signature &&
                edge->dependencies[j]->thread == edge->dependencies[i]->thread)
                return &edge->dependencies[edge->dependencies[i]->epoch < edge->dependencies[j]->epoch ? i
                                                                                                       : j];
    return NULL;
}

static struct lge_dependency **victim(const struct lge_edge *edge, struct lge_dependency **own,
                                      struct lge_dependency **last) {
    struct lge_dependency **old = own == NULL ? outdated(edge, (*last)->signature) : own;
    return old == NULL ? last : old;
}

/* Where enough equal (or alike) dependencies are kept, the newest takes the
 * place of this thread's last one, or of one that another made more than once,
 * or else of the last one. */
bool lge_edge_attach(struct lge_edge *edge, struct lge_dependency *dependency) {
    uint32_t equal = 0, alike = 0;
    uint32_t most_equal = edge->cycle_length > KEPT_EQUAL ? edge->cycle_length : KEPT_EQUAL;
    struct lge_dependency **own = NULL, **last_equal = NULL, **last_alike = NULL;
    for (uint32_t i = 0; i < edge->count; i++) {
        struct lge_dependency **slot = &edge->dependencies[i], *at = *slot;
        if (at == dependency)
            return false;
        if (at->shape != dependency->shape)
            continue;
        alike++;
        last_alike = slot;
        if (at->signature != dependency->signature)
            continue;
        if (at->thread == dependency->thread && at->epoch == dependency->epoch)
            return false;
        equal++;
        last_equal = slot;
        if (at->thread == dependency->thread)
            own = slot;
    }
    if (equal >= most_equal)
        replace(victim(edge, own, last_equal), dependency);
    else if (alike >= KEPT_ALIKE + most_equal)
        replace(last_alike, dependency);
    else if (edge->count >= KEPT_IN_ALL + most_equal)
        replace(&edge->dependencies[dependency->signature % edge->count], dependency);
    else
        return append(edge, dependency);
    return true;
}

/* ---- places ---- */

void lge_node_promote(struct lge_node *node) {
    if (node->placed)
        return;
    for (struct lge_edge *edge = node->in; edge != NULL; edge = edge->next_in)
        unlink_out(edge);
    lge_order_place(node, node->in == NULL);
    for (struct lge_edge *edge = node->in; edge != NULL; edge = edge->next_in)
        link_out(edge);
}

static void clear_edges(struct lge_map *map) {
    for (size_t i = 0; i < map->capacity; i++)
        free_edge(map->slots[i].value);
    lge_map_clear(map);
}

void lge_graph_reset(void) {
    clear_edges(&all.edges);
    clear_edges(&all.class_edges);
    all.seen_edges[0] = all.seen_edges[1] = 0;
    for (size_t i = 0; i < all.locks.capacity; i++)
        if (all.locks.slots[i].value != NULL)
            free_lock(all.locks.slots[i].value);
    lge_map_clear(&all.locks);
    atomic_store_explicit(&all.lock_count, 0, memory_order_relaxed);
    for (size_t i = 0; i < PLACES; i++)
        atomic_store_explicit(&all.present[i], 0, memory_order_relaxed);
    lge_order_reset();
}

struct lgp_part lge_table_part(void) {
    return (struct lgp_part){&all.table, (void *)&all, sizeof all};
}
struct lgp_part lge_graph_part(void) {
    return (struct lgp_part){&all.graph, (void *)&all, sizeof all};
}
