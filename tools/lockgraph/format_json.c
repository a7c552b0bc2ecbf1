#include <jansson.h>

#include "format.h"
#include "json_lock.h"
#include "json_parts.h"
#include "json_usage.h"
#include "kinds.h"
#include "stacks.h"
#include "version.h"

/* Locks and orders that are listed; past that only locks that something else names.  Where
 * evidence has more, the report says so: the database of `lockgraph export` has all. */
enum { MOST_LISTED = 10000 };

/* ---- locks and classes ---- */

static json_t *all_locks(struct model *model, size_t *left_out) {
    json_t *locks = json_array();
    for (size_t i = 0; i < model->process_count; i++) {
        struct model_process *process = &model->processes[i];
        size_t count = 0;
        const struct lgr_lock_info *infos = lgr_locks(process->file, &count);
        for (size_t k = 0; k < count; k++)
            if (json_array_size(locks) < MOST_LISTED || model_names_lock(process, infos[k].id))
                json_array_append_new(locks, json_lock(model_lock_of(model, process, infos[k].id)));
            else
                ++*left_out;
    }
    return locks;
}

static json_t *class_object(const struct model_class *class, const struct usages *usages) {
    json_t *object = json_packed("{s:s, s:s, s:s, s:o}", "id", class->id, "name", class->name, "kind",
                                 class->kind, "level", json_level(class));
    json_add_level_name(object, class);
    json_t *usage = json_usage(class, usages);
    if (usage)
        json_object_set_new(object, "usage", usage);
    return object;
}

static json_t *all_classes(struct model *model) {
    json_t *classes = json_array();
    model_name_classes(model);
    struct usages usages = usages_collect(model);
    for (size_t i = 0; i < model->class_count; i++)
        json_array_append_new(classes, class_object(model->classes[i], &usages));
    return classes;
}

/* ---- the order graph ---- */

static json_t *class_id(struct model *model, struct model_process *process, uint32_t id) {
    const struct model_class *class = model_class_of(model, process, id);
    return json_text(class ? class->id : NULL);
}

static json_t *graph_edge(struct model *model, struct model_process *process, const struct lgr_edge *edge) {
    struct stack held = model_stack(model, process, edge->held_context);
    struct stack request = model_stack(model, process, edge->request_context);
    return json_packed("{s:o, s:o, s:s, s:s, s:b, s:I, s:i, s:o, s:o}", "from",
                       class_id(model, process, edge->from_class), "to",
                       class_id(model, process, edge->to_class), "mode_from",
                       edge->mode_from == LGR_SHARED ? "shared" : "exclusive", "mode_to",
                       edge->mode_to == LGR_SHARED ? "shared" : "exclusive", "timed", edge->timed != 0, "pid",
                       (json_int_t)process->header->pid, "thread", (int)edge->thread, "held_at",
                       json_frame(stack_site(&held)), "requested_at", json_frame(stack_site(&request)));
}

static json_t *all_edges(struct model *model, size_t *left_out) {
    json_t *edges = json_array();
    for (size_t i = 0; i < model->process_count; i++) {
        struct model_process *process = &model->processes[i];
        size_t count = lgr_edge_count(process->file), room = MOST_LISTED - json_array_size(edges);
        for (size_t k = 0; k < count && k < room; k++)
            json_array_append_new(edges, graph_edge(model, process, lgr_edge_at(process->file, k)));
        *left_out += count > room ? count - room : 0;
    }
    return edges;
}

/* ---- the whole ---- */

static json_t *all_processes(struct model *model) {
    json_t *processes = json_array();
    for (size_t i = 0; i < model->process_count; i++)
        json_array_append_new(processes, json_process(model, &model->processes[i]));
    return processes;
}

static json_t *all_findings(struct model *model) {
    json_t *findings = json_array();
    for (size_t i = 0; i < model->finding_count; i++)
        json_array_append_new(findings, json_finding(&model->findings[i]));
    return findings;
}

static json_t *coverage_object(const struct coverage *sum) {
    return json_packed("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "locks", (json_int_t)sum->locks, "threads",
                       (json_int_t)sum->threads, "acquisitions_nested", (json_int_t)sum->acquisitions_nested,
                       "contended", (json_int_t)sum->contended, "ordered_pairs", (json_int_t)sum->edges,
                       "unwrapped", (json_int_t)sum->unwrapped, "dropped", (json_int_t)sum->dropped,
                       "damaged", (json_int_t)sum->damaged);
}

static json_t *tool_object(void) {
    return json_packed("{s:s, s:s}", "name", "lockgraph", "version", LOCKGRAPH_VERSION);
}

static json_t *options_list(struct model *model) {
    json_t *options = json_array();
    for (size_t i = 0; i < model->process_count; i++)
        json_array_append_new(
            options, json_text(text_clean(&model->pool, lgr_process(model->processes[i].file)->options)));
    return options;
}

static json_t *report(struct model *model) {
    size_t more_locks = 0, more_edges = 0;
    json_t *processes = all_processes(model), *findings = all_findings(model);
    json_t *locks = all_locks(model, &more_locks), *edges = all_edges(model, &more_edges),
           *classes = all_classes(model);
    json_t *root = json_packed("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema",
                               "lockgraph-report/1", "tool", tool_object(), "options", options_list(model),
                               "processes", processes, "findings", findings, "locks", locks, "classes",
                               classes, "edges", edges, "coverage", coverage_object(&model->coverage));
    if (more_locks + more_edges)
        json_object_set_new(
            root, "left_out",
            json_packed("{s:I, s:I}", "locks", (json_int_t)more_locks, "edges", (json_int_t)more_edges));
    if (model->suppressions)
        json_object_set_new(root, "suppressions", json_suppressions(model));
    return root;
}

void format_json(struct text *out, struct model *model, const struct format_options *options) {
    (void)options;
    json_write(out, report(model));
}
