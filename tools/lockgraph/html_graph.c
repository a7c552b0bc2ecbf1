#include "html_graph.h"

#include <search.h>
#include <stdlib.h>

#include "misuse_words.h"
#include "order_ends.h"

enum { SITES_TOLD = 6 };

static int compare_edges(const void *a, const void *b) {
    const struct html_edge *one = a, *other = b;
    if (one->from != other->from)
        return one->from->index < other->from->index ? -1 : 1;
    return one->to->index < other->to->index ? -1 : one->to->index > other->to->index;
}

static struct html_edge *edge_between(struct html_tables *tables, struct html_graph *graph,
                                      const struct model_class *from, const struct model_class *to) {
    struct html_edge key = {.from = from, .to = to};
    struct html_edge **found = tfind(&key, &graph->edges_by_pair, compare_edges);
    if (found)
        return *found;
    struct html_edge *edge = pool_alloc(&tables->model->pool, sizeof *edge);
    *edge = (struct html_edge){from, to, 0, graph->edge_count, json_array(), json_array()};
    tsearch(edge, &graph->edges_by_pair, compare_edges);
    graph->edges = checked_resize(graph->edges, graph->edge_count + 1, sizeof(struct html_edge *));
    graph->edges[graph->edge_count++] = edge;
    return edge;
}

/* ---- places ---- */

static bool is_told(const json_t *sites, json_int_t held, json_int_t requested) {
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *site = json_array_get(sites, i);
        if (json_integer_value(json_object_get(site, "held")) == held &&
            json_integer_value(json_object_get(site, "requested")) == requested)
            return true;
    }
    return false;
}

static void add_site(struct html_edge *edge, const char *thread, json_int_t held, json_int_t requested,
                     bool shared_from, bool shared_to, bool timed) {
    json_array_append_new(edge->sites, json_pack("{s:s, s:I, s:I, s:b, s:b, s:b}", "thread", thread, "held",
                                                 held, "requested", requested, "shared_from", shared_from,
                                                 "shared_to", shared_to, "timed", timed));
}

/* ---- findings ---- */

static bool ends_of(const struct model_finding *finding, const struct model_edge *edge,
                    const struct model_class **from, const struct model_class **to) {
    bool level = finding->kind == LGR_KIND_LEVEL_VIOLATION;
    struct order_ends ends = order_ends_of(finding, edge);
    if (finding->suppression || !ends.held || !ends.wanted || (is_misuse(finding) && !level))
        return false;
    *from = ends.held->class;
    *to = ends.wanted->class;
    return *from && *to;
}

static void add_finding_edge(struct html_tables *tables, struct html_graph *graph, size_t index,
                             const struct model_edge *edge) {
    const struct model_finding *finding = &tables->model->findings[index];
    const struct model_class *from, *to;
    if (!ends_of(finding, edge, &from, &to))
        return;
    struct html_edge *drawn = edge_between(tables, graph, from, to);
    json_int_t held = html_stack(tables, &edge->held_at), requested = html_stack(tables, &edge->requested_at);
    size_t told = json_array_size(drawn->findings);
    json_t *last = told ? json_array_get(drawn->findings, told - 1) : NULL;
    if (!last || json_integer_value(last) != (json_int_t)index)
        json_array_append_new(drawn->findings, json_integer((json_int_t)index));
    if (json_array_size(drawn->sites) < SITES_TOLD && !is_told(drawn->sites, held, requested))
        add_site(drawn, edge->thread->label, held, requested, edge->shared_from, edge->shared_to,
                 edge->timed);
}

const struct html_edge *html_graph_edge(const struct html_graph *graph, const struct model_finding *finding,
                                        const struct model_edge *edge) {
    struct html_edge key = {0};
    if (!ends_of(finding, edge, &key.from, &key.to))
        return NULL;
    struct html_edge **found = tfind(&key, &graph->edges_by_pair, compare_edges);
    return found ? *found : NULL;
}

/* ---- all that was recorded ---- */

static void add_recorded(struct html_tables *tables, struct html_graph *graph, struct model_process *process,
                         const struct lgr_edge *recorded) {
    const struct model_class *from = model_class_of(tables->model, process, recorded->from_class);
    const struct model_class *to = model_class_of(tables->model, process, recorded->to_class);
    if (!from || !to)
        return;
    struct html_edge *edge = edge_between(tables, graph, from, to);
    edge->sightings++;
    if (json_array_size(edge->sites) >= SITES_TOLD)
        return;
    json_int_t held = html_context(tables, process, recorded->held_context);
    json_int_t requested = html_context(tables, process, recorded->request_context);
    if (!is_told(edge->sites, held, requested))
        add_site(edge, model_thread_of(tables->model, process, recorded->thread)->label, held, requested,
                 recorded->mode_from == LGR_SHARED, recorded->mode_to == LGR_SHARED, recorded->timed != 0);
}

struct html_graph html_graph_begin(struct html_tables *tables) {
    struct html_graph graph = {0};
    struct model *model = tables->model;
    for (size_t i = 0; i < model->finding_count; i++)
        for (size_t k = 0; k < model->findings[i].edge_count; k++)
            add_finding_edge(tables, &graph, i, &model->findings[i].edges[k]);
    for (size_t i = 0; i < model->process_count; i++)
        for (size_t k = 0; k < lgr_edge_count(model->processes[i].file); k++)
            add_recorded(tables, &graph, &model->processes[i], lgr_edge_at(model->processes[i].file, k));
    return graph;
}

json_t *html_graph_edges(const struct html_graph *graph) {
    json_t *edges = json_array();
    for (size_t i = 0; i < graph->edge_count; i++) {
        const struct html_edge *edge = graph->edges[i];
        json_array_append_new(
            edges, json_pack("{s:I, s:I, s:I, s:O, s:O}", "from", (json_int_t)edge->from->index, "to",
                             (json_int_t)edge->to->index, "sightings", (json_int_t)edge->sightings, "sites",
                             edge->sites, "findings", edge->findings));
    }
    return edges;
}

static void keep(void *node) { (void)node; }

void html_graph_end(struct html_graph *graph) {
    for (size_t i = 0; i < graph->edge_count; i++) {
        json_decref(graph->edges[i]->sites);
        json_decref(graph->edges[i]->findings);
    }
    tdestroy(graph->edges_by_pair, keep);
    free(graph->edges);
}
