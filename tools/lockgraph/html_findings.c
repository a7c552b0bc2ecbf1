#include "html_findings.h"

#include <string.h>

#include "edge_stacks.h"
#include "format.h"
#include "json_parts.h"
#include "kinds.h"
#include "misuse_words.h"
#include "narrative.h"
#include "stacks.h"
#include "suppress.h"

/* Who holds and wants what; a misuse tells it in its title. */
static json_t *participants(struct pool *pool, const struct model_finding *finding) {
    json_t *list = json_array();
    for (size_t i = 0; i < finding->edge_count && !is_misuse(finding); i++)
        json_array_append_new(list, json_packed("{s:s, s:s}", "thread", finding->edges[i].thread->label,
                                                "text", narrate_edge(pool, finding, &finding->edges[i])));
    return list;
}

/* Locks whose short name is a place. */
static json_t *lock_names(const struct model_finding *finding) {
    json_t *list = json_array();
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_lock *lock = finding->edges[i].from;
        if (lock && (i == 0 || !is_misuse(finding)) && strcmp(lock->name, lock->short_name) != 0)
            json_array_append_new(
                list, json_packed("{s:s, s:s}", "label", finding->edges[i].from_label, "name", lock->name));
    }
    return list;
}

static json_t *steps(const struct model_finding *finding) {
    json_t *list = json_array();
    for (size_t i = 0; i < finding->step_count; i++)
        json_array_append_new(list, json_text(finding->steps[i]));
    return list;
}

static json_t *also_held(struct pool *pool, const struct model_edge *edge) {
    json_t *list = json_array();
    for (size_t i = 0; i < edge->held_count; i++) {
        const struct model_held *held = &edge->held[i];
        if (held->lock != edge->from)
            json_array_append_new(list, json_sprintf("%s%s, taken at %s", held->lock->short_name,
                                                     held->shared ? " (shared)" : "",
                                                     frame_place(pool, stack_site(&held->taken_at))));
    }
    return list;
}

static json_t *stacks_of(struct html_tables *tables, const struct model_finding *finding,
                         const struct model_edge *edge) {
    json_t *list = json_array();
    struct labelled_stacks stacks = edge_stacks(&tables->model->pool, finding, edge);
    for (size_t i = 0; i < stacks.count; i++)
        json_array_append_new(list, json_packed("{s:s, s:I}", "label", stacks.list[i].label, "stack",
                                                html_stack(tables, stacks.list[i].stack)));
    return list;
}

static json_t *sides(struct html_tables *tables, const struct html_graph *graph,
                     const struct model_finding *finding) {
    json_t *list = json_array();
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        const struct html_edge *drawn = html_graph_edge(graph, finding, edge);
        json_array_append_new(list, json_packed("{s:s, s:o, s:o, s:I}", "thread", edge->thread->label,
                                                "stacks", stacks_of(tables, finding, edge), "also_held",
                                                also_held(&tables->model->pool, edge), "edge",
                                                drawn ? (json_int_t)drawn->number : -1));
    }
    return list;
}

static void add_words(struct pool *pool, const struct model_finding *finding, json_t *object) {
    json_object_set_new(object, "steps_heading", json_text(finding->steps_heading));
    json_object_set_new(object, "steps", steps(finding));
    json_object_set_new(object, "why_heading", json_text(format_text_why(pool, finding)));
    json_object_set_new(object, "why", json_text(finding->why));
    json_object_set_new(object, "cure_heading", json_text(format_text_cure(finding)));
    json_object_set_new(object, "cure", json_text(finding->advice));
}

static json_t *finding_object(struct html_tables *tables, const struct html_graph *graph,
                              const struct model_finding *finding) {
    struct pool *pool = &tables->model->pool;
    const char *suppressed = NULL;
    if (finding->suppression)
        suppressed =
            pool_printf(pool, "%s:%zu", finding->suppression->file, (size_t)finding->suppression->line);
    json_t *object =
        json_packed("{s:s, s:s, s:o, s:s, s:I, s:s, s:I, s:o, s:o, s:o, s:o}", "id", finding->id, "kind",
                    kind_name(finding->kind), "verdict", json_text(verdict_name(finding->verdict)),
                    "severity", severity_name(finding->severity), "count", (json_int_t)finding->count,
                    "title", finding->title, "processes", (json_int_t)finding->process_count, "suppressed_by",
                    json_text(suppressed), "participants", participants(pool, finding), "names",
                    lock_names(finding), "sides", sides(tables, graph, finding));
    add_words(pool, finding, object);
    return object;
}

json_t *html_findings(struct html_tables *tables, const struct html_graph *graph) {
    json_t *list = json_array();
    for (size_t i = 0; i < tables->model->finding_count; i++)
        json_array_append_new(list, finding_object(tables, graph, &tables->model->findings[i]));
    return list;
}
