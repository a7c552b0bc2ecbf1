/* Rings of an order graph that can hang: who holds each lock and who wants it do not share
 * it as readers. */
#ifndef LOCKGRAPH_COMMAND_GRAPH_RINGS_H
#define LOCKGRAPH_COMMAND_GRAPH_RINGS_H

#include "pair_graph.h"

struct ring {
    size_t length; /* 2 or more */
    const struct graph_pair **pairs;
    unsigned *modes; /* of each: ring_modes */
};

enum { RING_MODES = 4 };
/* Modes of a sighting as one number below that. */
static inline unsigned ring_modes(const struct lgr_edge *edge) {
    return (unsigned)(edge->mode_from == LGR_SHARED) * 2 + (edge->mode_to == LGR_SHARED);
}

/* For each pair the shortest ring through it, if there is one, within a budget of work; each
 * ring once, from its first pair on.  It lives as long as the pool. */
void graph_rings(struct pool *pool, const struct pair_graph *graph,
                 void (*tell)(const struct ring *ring, void *context), void *context);

#endif
