/* The order graph: locks (and, in a second graph, classes) as nodes, "requested
 * while held" as edges.
 *
 * Two locks protect it, graph lock first:
 *
 * | what                                        | protected by               |
 * | the tables of locks and edges, in-lists,    | table lock                 |
 * | leaf-out lists, figures of a lock           |                            |
 * | dependencies of an edge that is not watched | table lock                 |
 * | node order, components, out-lists, watched  | graph lock (changes: both) |
 * | edges and their dependencies, class nodes   |                            |
 *
 * Order of all locks of the engine: usages (usage.h), spans
 * (timeline.h), path (deadlock.c), graph, evidence, table,
 * semaphores, classes, contexts, identity, thread list, locks of files, holds of
 * files, modules (recorded_modules.h), under that the writer's (record/writer.h) or
 * maps (platform/modules_maps.c), memory.
 *
 * A node is a leaf until something is requested while it is held: a leaf can
 * close no cycle, so edges to leaves need only the table lock, which is never
 * held over a search. */
#ifndef LOCKGRAPH_ENGINE_GRAPH_H
#define LOCKGRAPH_ENGINE_GRAPH_H

#include "engine/dependency.h"
#include "engine/order.h"

struct lge_edge {
    struct lge_node *from, *to;
    struct lge_edge *next_out, *previous_out; /* from->out, or from->leaf_out while `to` is a leaf */
    struct lge_edge *next_in, *previous_in;   /* to->in */
    struct lge_dependency **dependencies;
    uint32_t count, room;
    uint32_t cycle_length; /* longest cycle reported through it, or slots of a semaphore */
    bool postponed;        /* cycle.c has it in its list */
    _Atomic bool watched;  /* within a component: new evidence may close a cycle; see lge_watch */
};

/* How a rwlock whose readers queue was asked for exclusively, by calls that wait. */
enum lge_written { LGE_NEVER_WRITTEN, LGE_WRITTEN_TIMED /* always with a limit */, LGE_WRITTEN };

struct lge_lock {
    struct lge_node node; /* first */
    uint64_t id;
    const void *address;
    uint32_t recorded; /* evidence generation */
    uint8_t kind, attributes;
    uint8_t written;                    /* enum lge_written; changes under both locks */
    struct lge_edge *writers, *rereads; /* writers.h: evidence, under the graph lock; NULL: none */
    uint32_t contended, waiters_most;
    uint32_t waited_by; /* serial of the last that had to; 0: nobody */
    uint64_t wait_total_ns, wait_most_ns;
};

/* Set under the graph lock.  Read under the table lock, too (relaxed): who
 * reads false puts a key into its cache before it leaves the table lock, and
 * caches are cleared under that lock afterwards. */
static inline void lge_watch(struct lge_edge *edge) {
    atomic_store_explicit(&edge->watched, true, memory_order_relaxed);
}
static inline bool lge_watched(const struct lge_edge *edge) {
    return atomic_load_explicit(&edge->watched, memory_order_relaxed);
}

void lge_graph_lock(void);
void lge_graph_unlock(void);
void lge_table_lock(void);
void lge_table_unlock(void);

/* Under the table lock. */
struct lge_lock *lge_lock_find(uint64_t id);
struct lge_lock *lge_lock_obtain(const struct lge_request *request);
struct lge_lock *lge_lock_obtain_held(const struct lge_held *held);
/* Locks with a record; any time, approximate. */
size_t lge_locks_count(void);
/* Every lock with a record, for the figures at exit: under the table lock. */
void lge_locks_each(void (*visit)(struct lge_lock *lock, void *user), void *user);

/* Under the table lock (locks) or the graph lock (classes). */
struct lge_edge *lge_edge_find(const struct lge_node *from, const struct lge_node *to);
/* A new edge, linked into both nodes' lists.  NULL: memory is out. */
struct lge_edge *lge_edge_add(struct lge_node *from, struct lge_node *to);
void lge_edge_remove(struct lge_edge *edge);
/* Evidence that one lock has of itself: in no list, and gone with the lock.  NULL:
 * memory is out. */
struct lge_edge *lge_evidence_of(struct lge_lock *lock);
/* Keeps the dependency unless an equal one is there already or enough alike
 * are; true when it is new evidence. */
bool lge_edge_attach(struct lge_edge *edge, struct lge_dependency *dependency);

/* Under both locks: gives a leaf its place in the order, and its in-edges
 * theirs in their sources' out-lists.  Nothing when it has one. */
void lge_node_promote(struct lge_node *node);

/* Forgets a lock if it is a leaf; under both locks, so that no check that is
 * being made uses it. */
void lge_leaf_forget(uint64_t id);
uint64_t lge_node_number(const struct lge_node *node); /* lock id or class id */
uint64_t lge_edges_count(bool of_classes);             /* there are now */
uint64_t lge_edges_seen(bool of_classes);              /* there ever were, since the start or the fork */

void lge_graph_reset(void);

#endif
