/* The order graph of everything that was read: which class of locks was requested while
 * one of another class was held.  Classes of one identity are one node, whichever process
 * or build they come from. */
#ifndef LOCKGRAPH_COMMAND_PAIR_GRAPH_H
#define LOCKGRAPH_COMMAND_PAIR_GRAPH_H

#include "model.h"

/* One record of one process. */
struct sighting {
    size_t from, to; /* nodes */
    struct model_process *process;
    const struct lgr_edge *edge;
};

/* All sightings of one ordered pair. */
struct graph_pair {
    size_t from, to;
    size_t first, count; /* in pair_graph.sightings */
};

struct pair_graph {
    size_t class_count;           /* of the model, when the graph was made */
    struct model_class **classes; /* by node: by their identities, however they were met */
    size_t *nodes;                /* by index of the class in the model */
    size_t sighting_count, pair_count;
    struct sighting *sightings; /* by pair */
    struct graph_pair *pairs;   /* by from, then to */
    size_t *out;                /* pairs of node i: [out[i], out[i + 1]) */
};

/* Names every class that takes part.  Lives as long as the model. */
struct pair_graph pair_graph_of(struct model *model);

/* SIZE_MAX: of a class that the model had not yet. */
size_t pair_graph_node(const struct pair_graph *graph, const struct model_class *class);
/* The pair of these nodes; NULL when it was never seen, or either is none. */
const struct graph_pair *pair_graph_pair(const struct pair_graph *graph, size_t from, size_t to);

#endif
