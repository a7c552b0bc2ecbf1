/* An incremental topological order of strongly connected components (Pearce
 * and Kelly, "A Dynamic Topological Sort Algorithm for Directed Acyclic
 * Graphs", 2006, applied to the condensation).
 *
 * An edge that agrees with the order costs one comparison.  One that does not
 * makes the affected part move, or, when it closes a cycle, merges the
 * components on it; from then on the edges between its members are watched.
 * All calls under the graph lock. */
#ifndef LOCKGRAPH_ENGINE_ORDER_H
#define LOCKGRAPH_ENGINE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

struct lge_edge;

struct lge_node {
    struct lge_node *root;   /* representative of its component; NULL: a leaf (graph lock) */
    struct lge_node *member; /* ring of the component's members */
    int64_t order;           /* of the component, in its root */
    uint32_t size;           /* members, in the root */
    uint32_t distance;       /* search: edges to the goal */
    struct lge_edge *out, *leaf_out, *in;
    uint64_t stamp;          /* search: last visit */
    uint64_t distance_stamp; /* search: distance is valid */
    uint64_t gate;           /* cycle.c, in the root: a lock that all dependencies inside hold; 0: none */
    uint32_t author;         /* likewise: the one thread that made them all; 0: several */
    bool facts;              /* gate and author are valid */
    bool is_class;
    bool placed;  /* not a leaf any more; changes under both locks */
    bool on_path; /* search */
};

enum lge_order_result {
    LGE_ORDER_AGREES, /* nothing to do */
    LGE_ORDER_MOVED,  /* the order was changed, no cycle */
    LGE_ORDER_MERGED, /* closes a cycle: components were merged */
    LGE_ORDER_WITHIN  /* both ends were in one component already */
};

/* A first place: at the end, or at the start when nothing precedes it. */
void lge_order_place(struct lge_node *node, bool first);
/* The edge from -> to was added; both have a place. */
enum lge_order_result lge_order_insert(struct lge_node *from, struct lge_node *to);
/* The node leaves the graph. */
void lge_order_remove(struct lge_node *node);

/* A fresh mark for node->stamp. */
uint64_t lge_order_stamp(void);
uint64_t lge_order_moves(void);
void lge_order_reset(void);

#endif
