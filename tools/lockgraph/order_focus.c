#include "order_focus.h"

#include <string.h>

#include "suppress.h"

static bool is_meant(const struct order_node *node, const char *pattern) {
    const struct model_class *class = node->class;
    return pattern_matches(pattern, node->name) || pattern_matches(pattern, node->id) ||
           (node->lock && pattern_matches(pattern, node->lock->name)) ||
           (class && (pattern_matches(pattern, class->name) || pattern_matches(pattern, class->id)));
}

/* One step further from all that is near; false: there is nothing further. */
static bool grow(const struct order_graph *graph, bool *near, bool *next) {
    bool grown = false;
    memcpy(next, near, graph->node_count * sizeof *near);
    for (size_t i = 0; i < graph->edge_count; i++) {
        const struct order_edge *edge = &graph->edges[i];
        if (near[edge->from] != near[edge->to])
            next[edge->from] = next[edge->to] = grown = true;
    }
    memcpy(near, next, graph->node_count * sizeof *near);
    return grown;
}

static void leave_near(struct order_graph *graph, const bool *near, size_t *place) {
    size_t nodes = 0, edges = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        place[i] = nodes;
        if (near[i])
            graph->nodes[nodes++] = graph->nodes[i];
    }
    for (size_t i = 0; i < graph->edge_count; i++) {
        struct order_edge edge = graph->edges[i];
        if (!near[edge.from] || !near[edge.to])
            continue;
        edge.from = place[edge.from];
        edge.to = place[edge.to];
        graph->edges[edges++] = edge;
    }
    graph->node_count = nodes;
    graph->edge_count = edges;
}

void order_focus(struct pool *pool, struct order_graph *graph, const char *pattern, unsigned depth) {
    bool *near = pool_array(pool, graph->node_count + 1, sizeof *near);
    bool *next = pool_array(pool, graph->node_count + 1, sizeof *next);
    for (size_t i = 0; i < graph->node_count; i++)
        near[i] = is_meant(&graph->nodes[i], pattern);
    while (depth-- && grow(graph, near, next))
        continue;
    leave_near(graph, near, pool_array(pool, graph->node_count + 1, sizeof(size_t)));
}
