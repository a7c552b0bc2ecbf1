/* The order graph of everything that was read: which class of locks was requested while
 * one of another class was held.  Classes of one identity are one node, whichever process
 * or build they come from. */
#ifndef LOCKGRAPH_COMMAND_PAIR_GRAPH_H
#define LOCKGRAPH_COMMAND_PAIR_GRAPH_H

#include "model.h"

/* One record of one process. */
struct sighting {
    size_t from, to; /* index of the class in the model */
    struct model_process *process;
    const struct lgr_edge *edge;
};

/* All sightings of one ordered pair. */
struct graph_pair {
    size_t from, to;
    size_t first, count; /* in pair_graph.sightings */
};

struct pair_graph {
    size_t class_count; /* as the model had when the graph was made */
    size_t sighting_count, pair_count;
    struct sighting *sightings; /* by pair */
    struct graph_pair *pairs;   /* by from, then to */
    size_t *out;                /* pairs of class i: [out[i], out[i + 1]) */
};

/* Names every class that takes part.  Lives as long as the model. */
struct pair_graph pair_graph_of(struct model *model);

/* The pair; NULL when it was never seen. */
const struct graph_pair *pair_graph_pair(const struct pair_graph *graph, size_t from, size_t to);

#endif
