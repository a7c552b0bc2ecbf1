/* Which locks were requested while which others were held, joined over all processes:
 * what every picture of the order is drawn from. */
#ifndef LOCKGRAPH_COMMAND_ORDER_GRAPH_H
#define LOCKGRAPH_COMMAND_ORDER_GRAPH_H

#include "model.h"

enum order_view {
    ORDER_BY_CLASS,
    ORDER_BY_LOCK, /* each lock for itself; of a pair of classes only the first two that were seen */
};

struct order_node {
    const char *id;                  /* of the class or the lock */
    const char *name;                /* short */
    const struct model_class *class; /* NULL: not recorded */
    const struct model_lock *lock;   /* NULL where nodes are classes */
    int level;                       /* NO_LEVEL: none */
};

/* `to` was requested while `from` was held. */
struct order_edge {
    size_t from, to;                     /* indices of nodes; the same for two locks of one class */
    size_t sightings;                    /* records: distinct pairs of stacks and modes; 0: known from a
                                            finding only */
    const struct model_thread *thread;   /* of the first sighting, as the stacks are; NULL: not known */
    struct stack held_at, requested_at;  /* where `from` was taken, where `to` was requested */
    const struct model_finding *finding; /* the gravest that goes over it; NULL: none */
    const struct model_process *process;
};

struct order_graph {
    size_t node_count, edge_count;
    struct order_node *nodes; /* by name, then id */
    struct order_edge *edges; /* by their nodes */
};

struct order_graph_options {
    enum order_view view;
    bool notes;        /* findings that are notes count */
    const char *focus; /* pattern for a lock's name or id; NULL: all of them */
    unsigned depth;    /* steps from it, in either direction */
};

/* Lives as long as the model.  Without a node that `focus` fits, it is empty. */
struct order_graph order_graph_of(struct model *model, const struct order_graph_options *options);

#endif
