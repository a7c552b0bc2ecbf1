/* A part of the order graph: what is near some locks. */
#ifndef LOCKGRAPH_COMMAND_ORDER_FOCUS_H
#define LOCKGRAPH_COMMAND_ORDER_FOCUS_H

#include "order_graph.h"

/* Leaves in `graph` the nodes whose name or id matches `pattern`, and what is at most
 * `depth` edges from them in either direction, with the edges among these. */
void order_focus(struct pool *pool, struct order_graph *graph, const char *pattern, unsigned depth);

#endif
