/* The order graph in Graphviz's language: outer locks above inner ones, levels as ranks. */
#include <stdlib.h>

#include "exit_code.h"
#include "format.h"
#include "kinds.h"
#include "order_graph.h"
#include "stacks.h"

#define FONT "Helvetica,Arial,sans-serif"

/* In labels and tooltips Graphviz reads escapes and entities of its own: a name with '\' or
 * '&' in it must not become another one.  Names are one clean line. */
static void add_quoted(struct text *out, const char *string) {
    text_add(out, "\"");
    for (; *string; string++)
        if (*string == '"' || *string == '\\')
            text_printf(out, "\\%c", *string);
        else if (*string == '&')
            text_add(out, "&amp;");
        else
            text_add_n(out, string, 1);
    text_add(out, "\"");
}

/* ---- nodes ---- */

static void add_node(struct text *out, struct pool *pool, const struct order_graph *graph, size_t index) {
    const struct order_node *node = &graph->nodes[index];
    const char *what = node->lock ? node->lock->name : node->class->name;
    text_printf(out, "  n%zu [label=", index + 1);
    add_quoted(out, node->lock ? pool_printf(pool, "%s %s", node->name, node->id) : node->name);
    text_add(out, " id=");
    add_quoted(out, pool_printf(pool, "lock-%s", node->id));
    text_add(out, " tooltip=");
    add_quoted(out, node->level == NO_LEVEL ? what : pool_printf(pool, "%s, level %d", what, node->level));
    text_add(out, "]\n");
}

static int compare_levels(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* Each level once, lowest first; their number. */
static size_t levels_of(struct pool *pool, const struct order_graph *graph, int **levels) {
    size_t count = 0, distinct = 0;
    int *list = *levels = pool_array(pool, graph->node_count + 1, sizeof *list);
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].level != NO_LEVEL)
            list[count++] = graph->nodes[i].level;
    qsort(list, count, sizeof *list, compare_levels);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || list[i] != list[i - 1])
            list[distinct++] = list[i];
    return distinct;
}

/* A rank for each level, and a scale beside them. */
static void add_levels(struct text *out, struct pool *pool, const struct order_graph *graph) {
    int *levels;
    size_t count = levels_of(pool, graph, &levels);
    for (size_t i = 0; i < count; i++) {
        text_printf(out, "  l%zu [label=\"level %d\" shape=plaintext style=\"\" fontcolor=\"#57606a\"]\n", i,
                    levels[i]);
        text_printf(out, "  { rank=same l%zu", i);
        for (size_t k = 0; k < graph->node_count; k++)
            if (graph->nodes[k].level == levels[i])
                text_printf(out, " n%zu", k + 1);
        text_add(out, " }\n");
        if (i)
            text_printf(out, "  l%zu -> l%zu [style=invis]\n", i - 1, i);
    }
}

/* ---- edges ---- */

/* Against the levels: must not move their ranks. */
static bool is_upward(const struct order_graph *graph, const struct order_edge *edge) {
    int from = graph->nodes[edge->from].level, to = graph->nodes[edge->to].level;
    return from != NO_LEVEL && to != NO_LEVEL && from >= to;
}

static const char *tooltip(struct pool *pool, const struct order_graph *graph,
                           const struct order_edge *edge) {
    const char *seen = edge->sightings > 1 ? pool_printf(pool, " (%zu ways)", edge->sightings) : "";
    const char *of =
        edge->finding ? pool_printf(pool, ": %s %s", kind_name(edge->finding->kind), edge->finding->id) : "";
    return pool_printf(pool, "%s, taken at %s, then %s, requested at %s, by %s%s%s",
                       graph->nodes[edge->from].name, frame_place(pool, stack_site(&edge->held_at)),
                       graph->nodes[edge->to].name, frame_place(pool, stack_site(&edge->requested_at)),
                       edge->thread->label, seen, of);
}

static void add_finding(struct text *out, const struct model_finding *finding) {
    static const char *const styles[] = {
        [LGR_NOTE] = "bold,dotted", [LGR_WARNING] = "bold,dashed", [LGR_ERROR] = "bold"};
    unsigned severity = finding->severity > LGR_ERROR ? LGR_ERROR : finding->severity;
    const char *style = severity ? styles[severity] : styles[LGR_ERROR];
    text_printf(out, " class=\"finding %s\" color=\"#cf222e\" fontcolor=\"#cf222e\" penwidth=2.4",
                severity_name(finding->severity));
    text_printf(out, " style=\"%s\" label=\"%s\"", style, finding->id);
}

static void add_edge(struct text *out, struct pool *pool, const struct order_graph *graph,
                     const struct order_edge *edge) {
    const char *words = tooltip(pool, graph, edge);
    text_printf(out, "  n%zu -> n%zu [tooltip=", edge->from + 1, edge->to + 1);
    add_quoted(out, words);
    if (edge->finding) {
        text_add(out, " labeltooltip=");
        add_quoted(out, words);
        add_finding(out, edge->finding);
    }
    text_printf(out, "%s]\n", is_upward(graph, edge) ? " constraint=false" : "");
}

/* ---- the whole ---- */

static const char *counted(struct pool *pool, size_t count, const char *one, const char *many) {
    return pool_printf(pool, "%zu %s", count, count == 1 ? one : many);
}

static const char *legend(struct pool *pool, const struct order_graph *graph, bool by_lock) {
    size_t red = 0;
    if (graph->edge_count == 0)
        return "No lock was taken while another one was held.";
    for (size_t i = 0; i < graph->edge_count; i++)
        red += graph->edges[i].finding != NULL;
    return pool_printf(pool, "%s, %s: an arrow leads from a lock to one taken while it was held. %s",
                       counted(pool, graph->node_count, by_lock ? "lock" : "class of locks",
                               by_lock ? "locks" : "classes of locks"),
                       counted(pool, graph->edge_count, "order", "orders"),
                       red ? pool_printf(pool, "Red: %zu in findings.", red) : "None is in a finding.");
}

/* Graphviz looks for the best layout for minutes where there are many edges, unless it is
 * told when to stop. */
#define MANY_EDGES 500
#define HURRY      " nslimit=1 nslimit1=1 mclimit=0.2 splines=line"

static void add_graph(struct text *out, struct pool *pool, const struct order_graph *graph, bool by_lock) {
    text_add(out, "digraph lockgraph {\n"
                  "  graph [newrank=true nodesep=0.35 ranksep=0.6 fontname=\"" FONT "\" fontsize=11"
                  " fontcolor=\"#57606a\" label=");
    add_quoted(out, legend(pool, graph, by_lock));
    text_printf(out, "%s]\n", graph->edge_count > MANY_EDGES ? HURRY : "");
    text_add(out, "  node [shape=box style=\"rounded,filled\" fillcolor=\"#f6f8fa\" color=\"#57606a\""
                  " fontname=\"" FONT "\" fontsize=12]\n"
                  "  edge [color=\"#8c959f\" fontname=\"" FONT "\" fontsize=10 arrowsize=0.8]\n");
    for (size_t i = 0; i < graph->node_count; i++)
        add_node(out, pool, graph, i);
    add_levels(out, pool, graph);
    for (size_t i = 0; i < graph->edge_count; i++)
        add_edge(out, pool, graph, &graph->edges[i]);
    text_add(out, "}\n");
}

void format_dot(struct text *out, struct model *model, const struct format_options *options) {
    struct order_graph_options part = options->graph;
    part.notes |= options->show_notes;
    struct order_graph graph = order_graph_of(model, &part);
    if (part.focus && graph.node_count == 0 && options->failure) {
        snprintf(options->failure, FORMAT_FAILURE,
                 "--focus: no lock that was nested is called \"%.120s\"; '*' stands for any text",
                 part.focus);
        return;
    }
    add_graph(out, &model->pool, &graph, part.view == ORDER_BY_LOCK);
}
