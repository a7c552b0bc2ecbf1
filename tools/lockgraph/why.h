/* Every known path from one class of locks to another. */
#ifndef LOCKGRAPH_COMMAND_WHY_H
#define LOCKGRAPH_COMMAND_WHY_H

#include "pair_graph.h"

#define WHY_PATHS 100 /* told at most */

struct why_path {
    size_t length; /* pairs */
    const struct graph_pair **pairs;
};
struct why_paths {
    size_t count;
    struct why_path list[WHY_PATHS]; /* the shortest first */
    bool more;                       /* there are, or may be */
};

/* Paths that visit no class twice, from any class marked in `from` to any in `to` (one
 * flag per class of the graph).  Lives as long as the model. */
struct why_paths *why_find(struct model *model, const struct pair_graph *graph, const bool *from,
                           const bool *to);

#endif
