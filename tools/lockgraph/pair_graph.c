#include "pair_graph.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
    const struct sighting *one = a, *other = b;
    if (one->from != other->from)
        return one->from < other->from ? -1 : 1;
    if (one->to != other->to)
        return one->to < other->to ? -1 : 1;
    if (one->process->index != other->process->index)
        return one->process->index < other->process->index ? -1 : 1;
    return one->edge < other->edge ? -1 : one->edge > other->edge;
}

static size_t count_edges(const struct model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->process_count; i++)
        count += lgr_edge_count(model->processes[i].file);
    return count;
}

static void gather(struct model *model, struct model_process *process, struct pair_graph *graph) {
    for (size_t i = 0; i < lgr_edge_count(process->file); i++) {
        const struct lgr_edge *edge = lgr_edge_at(process->file, i);
        const struct model_class *from = model_class_of(model, process, edge->from_class);
        const struct model_class *to = model_class_of(model, process, edge->to_class);
        if (from && to)
            graph->sightings[graph->sighting_count++] =
                (struct sighting){from->index, to->index, process, edge};
    }
}

static int compare_classes(const void *a, const void *b) {
    const struct model_class *const *one = a, *const *other = b;
    return strcmp((*one)->identity, (*other)->identity);
}

/* What is found first must not depend on the order in which files were read. */
static void number_nodes(struct model *model, struct pair_graph *graph) {
    size_t count = graph->class_count = model->class_count;
    graph->classes = pool_array(&model->pool, count + 1, sizeof *graph->classes);
    graph->nodes = pool_array(&model->pool, count + 1, sizeof *graph->nodes);
    for (size_t i = 0; i < count; i++)
        graph->classes[i] = model->classes[i];
    if (count)
        qsort(graph->classes, count, sizeof(struct model_class *), compare_classes);
    for (size_t i = 0; i < count; i++)
        graph->nodes[graph->classes[i]->index] = i;
    for (size_t i = 0; i < graph->sighting_count; i++) {
        graph->sightings[i].from = graph->nodes[graph->sightings[i].from];
        graph->sightings[i].to = graph->nodes[graph->sightings[i].to];
    }
}

static void make_pairs(struct pair_graph *graph) {
    for (size_t i = 0; i < graph->sighting_count; i++) {
        const struct sighting *sighting = &graph->sightings[i];
        struct graph_pair *last = graph->pair_count ? &graph->pairs[graph->pair_count - 1] : NULL;
        if (last && last->from == sighting->from && last->to == sighting->to)
            last->count++;
        else
            graph->pairs[graph->pair_count++] = (struct graph_pair){sighting->from, sighting->to, i, 1};
    }
}

static void index_pairs(struct pair_graph *graph) {
    for (size_t i = 0; i < graph->pair_count; i++)
        graph->out[graph->pairs[i].from + 1] = i + 1;
    for (size_t i = 1; i <= graph->class_count; i++)
        if (graph->out[i] < graph->out[i - 1])
            graph->out[i] = graph->out[i - 1];
}

struct pair_graph pair_graph_of(struct model *model) {
    struct pair_graph graph = {0};
    size_t count = count_edges(model);
    graph.sightings = pool_array(&model->pool, count + 1, sizeof *graph.sightings);
    graph.pairs = pool_array(&model->pool, count + 1, sizeof *graph.pairs);
    for (size_t i = 0; i < model->process_count; i++)
        gather(model, &model->processes[i], &graph);
    number_nodes(model, &graph);
    qsort(graph.sightings, graph.sighting_count, sizeof *graph.sightings, compare);
    graph.out = pool_array(&model->pool, graph.class_count + 1, sizeof *graph.out);
    make_pairs(&graph);
    index_pairs(&graph);
    return graph;
}

size_t pair_graph_node(const struct pair_graph *graph, const struct model_class *class) {
    return class->index < graph->class_count ? graph->nodes[class->index] : SIZE_MAX;
}

const struct graph_pair *pair_graph_pair(const struct pair_graph *graph, size_t from, size_t to) {
    if (from >= graph->class_count)
        return NULL;
    size_t low = graph->out[from], high = graph->out[from + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->pairs[middle].to == to)
            return &graph->pairs[middle];
        if (graph->pairs[middle].to < to)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
