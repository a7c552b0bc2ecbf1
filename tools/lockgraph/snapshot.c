#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "order_graph.h"

static int by_finding_id(const void *a, const void *b) {
    return strcmp(((const struct snapshot_finding *)a)->id, ((const struct snapshot_finding *)b)->id);
}

static int by_class_id(const void *a, const void *b) {
    return strcmp(((const struct snapshot_class *)a)->id, ((const struct snapshot_class *)b)->id);
}

static int by_edge_ids(const void *a, const void *b) {
    const struct snapshot_edge *one = a, *other = b;
    int from = strcmp(one->from, other->from);
    return from ? from : strcmp(one->to, other->to);
}

/* The first of equal ones stays. */
static size_t settle(void *items, size_t count, size_t size, int (*compare)(const void *, const void *)) {
    unsigned char *at = items;
    size_t kept = 0;
    if (count)
        qsort(items, count, size, compare);
    for (size_t i = 0; i < count; i++) {
        if (kept && compare(at + (kept - 1) * size, at + i * size) == 0)
            continue;
        if (kept != i)
            memcpy(at + kept * size, at + i * size, size);
        kept++;
    }
    return kept;
}

void snapshot_settle(struct snapshot *snapshot) {
    snapshot->finding_count =
        settle(snapshot->findings, snapshot->finding_count, sizeof *snapshot->findings, by_finding_id);
    snapshot->class_count =
        settle(snapshot->classes, snapshot->class_count, sizeof *snapshot->classes, by_class_id);
    snapshot->edge_count =
        settle(snapshot->edges, snapshot->edge_count, sizeof *snapshot->edges, by_edge_ids);
}

const struct snapshot_finding *snapshot_find_finding(const struct snapshot *snapshot, const char *id) {
    struct snapshot_finding key = {.id = id};
    return snapshot->finding_count
               ? bsearch(&key, snapshot->findings, snapshot->finding_count, sizeof key, by_finding_id)
               : NULL;
}

const struct snapshot_class *snapshot_find_class(const struct snapshot *snapshot, const char *id) {
    struct snapshot_class key = {.id = id};
    return snapshot->class_count
               ? bsearch(&key, snapshot->classes, snapshot->class_count, sizeof key, by_class_id)
               : NULL;
}

const struct snapshot_edge *snapshot_find_edge(const struct snapshot *snapshot,
                                               const struct snapshot_edge *edge) {
    return snapshot->edge_count
               ? bsearch(edge, snapshot->edges, snapshot->edge_count, sizeof *edge, by_edge_ids)
               : NULL;
}

/* ---- from evidence ---- */

static void add_findings(struct snapshot *snapshot, struct model *model) {
    snapshot->findings = pool_array(&model->pool, model->finding_count + 1, sizeof *snapshot->findings);
    for (size_t i = 0; i < model->finding_count; i++) {
        const struct model_finding *finding = &model->findings[i];
        snapshot->findings[snapshot->finding_count++] =
            (struct snapshot_finding){.id = finding->id,
                                      .kind = kind_name(finding->kind),
                                      .title = finding->title,
                                      .verdict = verdict_name(finding->verdict),
                                      .severity = finding->severity,
                                      .suppressed = finding->suppression != NULL,
                                      .finding = finding};
    }
}

struct snapshot snapshot_of_model(struct model *model) {
    struct snapshot snapshot = {0};
    struct order_graph graph = order_graph_of(model);
    model_name_classes(model);
    add_findings(&snapshot, model);
    snapshot.classes = pool_array(&model->pool, model->class_count + 1, sizeof *snapshot.classes);
    for (size_t i = 0; i < model->class_count; i++)
        snapshot.classes[snapshot.class_count++] =
            (struct snapshot_class){model->classes[i]->id, model->classes[i]->name, model->classes[i]->level};
    snapshot.edges = pool_array(&model->pool, graph.pair_count + 1, sizeof *snapshot.edges);
    for (size_t i = 0; i < graph.pair_count; i++)
        snapshot.edges[snapshot.edge_count++] = (struct snapshot_edge){
            model->classes[graph.pairs[i].from]->id, model->classes[graph.pairs[i].to]->id};
    snapshot_settle(&snapshot);
    return snapshot;
}
