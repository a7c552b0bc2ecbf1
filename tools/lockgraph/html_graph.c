#include "html_graph.h"

#include <stdlib.h>

#include "json_parts.h"
#include "misuse_words.h"
#include "order_ends.h"

/* Of an order; and, so that a page stays one that a browser opens, of all of them: past the
 * first number one place of each is told, past the second, or so many frames of code, none but
 * those of findings. */
enum { SITES_TOLD = 6, MANY_SITES = 10000, MOST_SITES = 20000, MOST_FRAMES = 25000 };

/* ---- edges by their ends: there are millions of orders to look up ---- */

static struct html_edge **slot_of(const struct html_graph *graph, const struct model_class *from,
                                  const struct model_class *to) {
    uint64_t mixed = ((uint64_t)from->index << 32 | to->index) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(mixed >> 32) & (graph->slot_count - 1);
    while (graph->slots[at] && (graph->slots[at]->from != from || graph->slots[at]->to != to))
        at = (at + 1) & (graph->slot_count - 1);
    return &graph->slots[at];
}

static void grow(struct html_graph *graph) {
    free(graph->slots);
    graph->slot_count = graph->slot_count ? 2 * graph->slot_count : 256;
    graph->slots = checked_zeroed(graph->slot_count, sizeof(struct html_edge *));
    for (size_t i = 0; i < graph->edge_count; i++)
        *slot_of(graph, graph->edges[i]->from, graph->edges[i]->to) = graph->edges[i];
}

static struct html_edge *edge_between(struct html_tables *tables, struct html_graph *graph,
                                      const struct model_class *from, const struct model_class *to) {
    if (2 * graph->edge_count >= graph->slot_count)
        grow(graph);
    struct html_edge **slot = slot_of(graph, from, to), *edge = *slot;
    if (edge)
        return edge;
    edge = *slot = pool_alloc(&tables->model->pool, sizeof *edge);
    *edge = (struct html_edge){from, to, 0, graph->edge_count, json_array(), json_array()};
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

static bool is_full(const struct html_tables *tables, const struct html_graph *graph,
                    const struct html_edge *edge) {
    size_t told = json_array_size(edge->sites);
    if (graph->site_count >= MOST_SITES || json_array_size(tables->frames) >= MOST_FRAMES)
        return true;
    return told >= (graph->site_count < MANY_SITES ? SITES_TOLD : 1);
}

static void add_site(struct html_graph *graph, struct html_edge *edge, const char *thread, json_int_t held,
                     json_int_t requested, bool shared_from, bool shared_to, bool timed) {
    graph->site_count++;
    json_array_append_new(edge->sites, json_packed("{s:s, s:I, s:I, s:b, s:b, s:b}", "thread", thread, "held",
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
        add_site(graph, drawn, edge->thread->label, held, requested, edge->shared_from, edge->shared_to,
                 edge->timed);
}

const struct html_edge *html_graph_edge(const struct html_graph *graph, const struct model_finding *finding,
                                        const struct model_edge *edge) {
    const struct model_class *from, *to;
    return graph->slot_count && ends_of(finding, edge, &from, &to) ? *slot_of(graph, from, to) : NULL;
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
    if (is_full(tables, graph, edge))
        return;
    json_int_t held = html_context(tables, process, recorded->held_context);
    json_int_t requested = html_context(tables, process, recorded->request_context);
    if (!is_told(edge->sites, held, requested))
        add_site(graph, edge, model_thread_of(tables->model, process, recorded->thread)->label, held,
                 requested, recorded->mode_from == LGR_SHARED, recorded->mode_to == LGR_SHARED,
                 recorded->timed != 0);
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
            edges, json_packed("{s:I, s:I, s:I, s:O, s:O}", "from", (json_int_t)edge->from->index, "to",
                               (json_int_t)edge->to->index, "sightings", (json_int_t)edge->sightings, "sites",
                               edge->sites, "findings", edge->findings));
    }
    return edges;
}

void html_graph_end(struct html_graph *graph) {
    for (size_t i = 0; i < graph->edge_count; i++) {
        json_decref(graph->edges[i]->sites);
        json_decref(graph->edges[i]->findings);
    }
    free(graph->slots);
    free(graph->edges);
}
