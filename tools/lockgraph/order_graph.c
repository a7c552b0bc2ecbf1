#include "order_graph.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "order_ends.h"
#include "order_focus.h"
#include "stacks.h"

struct gatherer {
    struct model *model;
    const struct order_graph_options *options;
    struct order_graph graph;
    size_t node_room, edge_room;
    void *nodes_by_id, *edges_by_ends; /* tsearch trees of the two below */
};
struct known_node {
    const char *id;
    size_t index;
};
struct known_edge {
    size_t from, to, index;
};

/* ---- nodes and edges, each once ---- */

static int compare_ids(const void *a, const void *b) {
    return strcmp(((const struct known_node *)a)->id, ((const struct known_node *)b)->id);
}

static int compare_ends(const void *a, const void *b) {
    const struct known_edge *one = a, *other = b;
    if (one->from != other->from)
        return one->from < other->from ? -1 : 1;
    return one->to < other->to ? -1 : one->to > other->to;
}

static struct order_node describe(const struct model_class *class, const struct model_lock *lock) {
    return (struct order_node){.id = lock ? lock->id : class->id,
                               .name = lock ? lock->short_name : class->short_name,
                               .class = class,
                               .lock = lock,
                               .level = class ? class->level : NO_LEVEL};
}

/* SIZE_MAX: nothing is known of it. */
static size_t node_of(struct gatherer *gatherer, const struct model_class *class,
                      const struct model_lock *lock) {
    struct order_graph *graph = &gatherer->graph;
    if (gatherer->options->view == ORDER_BY_CLASS)
        lock = NULL;
    if (!class && !lock)
        return SIZE_MAX;
    struct order_node node = describe(class, lock);
    struct known_node *key = pool_alloc(&gatherer->model->pool, sizeof *key);
    *key = (struct known_node){node.id, graph->node_count};
    struct known_node **known = tsearch(key, &gatherer->nodes_by_id, compare_ids);
    if (!known || *known != key)
        return known ? (*known)->index : SIZE_MAX;
    if (graph->node_count == gatherer->node_room) {
        gatherer->node_room = gatherer->node_room ? 2 * gatherer->node_room : 64;
        graph->nodes = checked_resize(graph->nodes, gatherer->node_room, sizeof *graph->nodes);
    }
    graph->nodes[graph->node_count++] = node;
    return key->index;
}

static struct order_edge *edge_of(struct gatherer *gatherer, size_t from, size_t to) {
    struct order_graph *graph = &gatherer->graph;
    if (from == SIZE_MAX || to == SIZE_MAX)
        return NULL;
    struct known_edge *key = pool_alloc(&gatherer->model->pool, sizeof *key);
    *key = (struct known_edge){from, to, graph->edge_count};
    struct known_edge **known = tsearch(key, &gatherer->edges_by_ends, compare_ends);
    if (!known || *known != key)
        return known ? &graph->edges[(*known)->index] : NULL;
    if (graph->edge_count == gatherer->edge_room) {
        gatherer->edge_room = gatherer->edge_room ? 2 * gatherer->edge_room : 64;
        graph->edges = checked_resize(graph->edges, gatherer->edge_room, sizeof *graph->edges);
    }
    graph->edges[graph->edge_count] = (struct order_edge){.from = from, .to = to};
    return &graph->edges[graph->edge_count++];
}

/* ---- what was recorded ---- */

static void add_recorded(struct gatherer *gatherer, struct model_process *process,
                         const struct lgr_edge *record) {
    struct model *model = gatherer->model;
    bool by_lock = gatherer->options->view == ORDER_BY_LOCK;
    const struct model_class *from = model_class_of(model, process, record->from_class);
    const struct model_class *to = model_class_of(model, process, record->to_class);
    struct order_edge *edge = edge_of(
        gatherer, node_of(gatherer, from, by_lock ? model_lock_of(model, process, record->from_lock) : NULL),
        node_of(gatherer, to, by_lock ? model_lock_of(model, process, record->to_lock) : NULL));
    if (!edge || edge->sightings++)
        return;
    edge->process = process;
    edge->thread = model_thread_of(model, process, record->thread);
    edge->held_at = model_stack(model, process, record->held_context);
    edge->requested_at = model_stack(model, process, record->request_context);
    stacks_tell_apart(&edge->held_at, &edge->requested_at);
}

/* ---- what findings go over ---- */

static bool is_about_order(const struct model_finding *finding) {
    return finding->kind == LGR_KIND_ORDER_CYCLE || finding->kind == LGR_KIND_DEADLOCK ||
           finding->kind == LGR_KIND_SELF_DEADLOCK || finding->kind == LGR_KIND_LEVEL_VIOLATION;
}

/* The stacks of the finding are those to look at, whatever was seen first. */
static void mark_edge(struct gatherer *gatherer, const struct model_finding *finding,
                      const struct model_edge *told) {
    struct order_ends ends = order_ends_of(finding, told);
    if (!ends.held || !ends.wanted)
        return;
    struct order_edge *edge = edge_of(gatherer, node_of(gatherer, ends.held->class, ends.held),
                                      node_of(gatherer, ends.wanted->class, ends.wanted));
    if (!edge || edge->finding)
        return;
    edge->finding = finding;
    edge->process = finding->process;
    edge->thread = told->thread;
    edge->held_at = told->held_at;
    edge->requested_at = told->requested_at;
}

static void mark_findings(struct gatherer *gatherer) {
    for (size_t i = 0; i < gatherer->model->finding_count; i++) {
        const struct model_finding *finding = &gatherer->model->findings[i];
        if (!is_about_order(finding) || finding->suppression ||
            (finding->severity == LGR_NOTE && !gatherer->options->notes))
            continue;
        for (size_t k = 0; k < finding->edge_count; k++)
            mark_edge(gatherer, finding, &finding->edges[k]);
    }
}

/* ---- the same order in every run ---- */

static int compare_nodes(const void *a, const void *b) {
    const struct order_node *one = *(const struct order_node *const *)a;
    const struct order_node *other = *(const struct order_node *const *)b;
    int by_name = strcmp(one->name, other->name);
    return by_name ? by_name : strcmp(one->id, other->id);
}

static int compare_edges(const void *a, const void *b) {
    const struct order_edge *one = a, *other = b;
    if (one->from != other->from)
        return one->from < other->from ? -1 : 1;
    return one->to < other->to ? -1 : one->to > other->to;
}

static struct order_graph sorted(struct model *model, const struct order_graph *graph) {
    struct order_graph result = *graph;
    const struct order_node **order = pool_array(&model->pool, graph->node_count + 1, sizeof *order);
    size_t *place = pool_array(&model->pool, graph->node_count + 1, sizeof *place);
    result.nodes = pool_array(&model->pool, graph->node_count + 1, sizeof *result.nodes);
    result.edges = pool_array(&model->pool, graph->edge_count + 1, sizeof *result.edges);
    for (size_t i = 0; i < graph->node_count; i++)
        order[i] = &graph->nodes[i];
    qsort(order, graph->node_count, sizeof *order, compare_nodes);
    for (size_t i = 0; i < graph->node_count; i++) {
        result.nodes[i] = *order[i];
        place[order[i] - graph->nodes] = i;
    }
    for (size_t i = 0; i < graph->edge_count; i++) {
        result.edges[i] = graph->edges[i];
        result.edges[i].from = place[graph->edges[i].from];
        result.edges[i].to = place[graph->edges[i].to];
    }
    qsort(result.edges, graph->edge_count, sizeof *result.edges, compare_edges);
    return result;
}

static void keep(void *node) { (void)node; }

struct order_graph order_graph_of(struct model *model, const struct order_graph_options *options) {
    struct gatherer gatherer = {.model = model, .options = options};
    for (size_t i = 0; i < model->process_count; i++)
        for (size_t k = 0; k < lgr_edge_count(model->processes[i].file); k++)
            add_recorded(&gatherer, &model->processes[i], lgr_edge_at(model->processes[i].file, k));
    mark_findings(&gatherer);
    struct order_graph graph = sorted(model, &gatherer.graph);
    tdestroy(gatherer.nodes_by_id, keep);
    tdestroy(gatherer.edges_by_ends, keep);
    free(gatherer.graph.nodes);
    free(gatherer.graph.edges);
    if (options->focus)
        order_focus(&model->pool, &graph, options->focus, options->depth);
    return graph;
}
