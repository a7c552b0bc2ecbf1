#include "summary.h"

#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "pair_graph.h"

static int by_finding_id(const void *a, const void *b) {
    return strcmp(((const struct summary_finding *)a)->id, ((const struct summary_finding *)b)->id);
}

static int by_class_id(const void *a, const void *b) {
    return strcmp(((const struct summary_class *)a)->id, ((const struct summary_class *)b)->id);
}

static int by_edge_ids(const void *a, const void *b) {
    const struct summary_edge *one = a, *other = b;
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

void summary_settle(struct summary *summary) {
    summary->finding_count =
        settle(summary->findings, summary->finding_count, sizeof *summary->findings, by_finding_id);
    summary->class_count =
        settle(summary->classes, summary->class_count, sizeof *summary->classes, by_class_id);
    summary->edge_count = settle(summary->edges, summary->edge_count, sizeof *summary->edges, by_edge_ids);
}

const struct summary_finding *summary_find_finding(const struct summary *summary, const char *id) {
    struct summary_finding key = {.id = id};
    return summary->finding_count
               ? bsearch(&key, summary->findings, summary->finding_count, sizeof key, by_finding_id)
               : NULL;
}

const struct summary_class *summary_find_class(const struct summary *summary, const char *id) {
    struct summary_class key = {.id = id};
    return summary->class_count
               ? bsearch(&key, summary->classes, summary->class_count, sizeof key, by_class_id)
               : NULL;
}

const struct summary_edge *summary_find_edge(const struct summary *summary, const struct summary_edge *edge) {
    return summary->edge_count ? bsearch(edge, summary->edges, summary->edge_count, sizeof *edge, by_edge_ids)
                               : NULL;
}

/* ---- from evidence ---- */

static void add_findings(struct summary *summary, struct model *model) {
    summary->findings = pool_array(&model->pool, model->finding_count + 1, sizeof *summary->findings);
    for (size_t i = 0; i < model->finding_count; i++) {
        const struct model_finding *finding = &model->findings[i];
        summary->findings[summary->finding_count++] =
            (struct summary_finding){.id = finding->id,
                                     .kind = kind_name(finding->kind),
                                     .title = finding->title,
                                     .verdict = verdict_name(finding->verdict),
                                     .severity = finding->severity,
                                     .suppressed = finding->suppression != NULL,
                                     .finding = finding};
    }
}

struct summary summary_of_model(struct model *model) {
    struct summary summary = {0};
    struct pair_graph graph = pair_graph_of(model);
    model_name_classes(model);
    add_findings(&summary, model);
    summary.classes = pool_array(&model->pool, model->class_count + 1, sizeof *summary.classes);
    for (size_t i = 0; i < model->class_count; i++)
        summary.classes[summary.class_count++] =
            (struct summary_class){model->classes[i]->id, model->classes[i]->name, model->classes[i]->level};
    summary.edges = pool_array(&model->pool, graph.pair_count + 1, sizeof *summary.edges);
    for (size_t i = 0; i < graph.pair_count; i++)
        summary.edges[summary.edge_count++] = (struct summary_edge){graph.classes[graph.pairs[i].from]->id,
                                                                    graph.classes[graph.pairs[i].to]->id};
    summary_settle(&summary);
    return summary;
}
