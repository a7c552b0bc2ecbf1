#include <jansson.h>

#include "format.h"
#include "json_lock.h"
#include "json_parts.h"
#include "json_stream.h"
#include "json_usage.h"
#include "kinds.h"
#include "stacks.h"
#include "version.h"

/* Locks and orders that are listed; past that only locks that something else names.  Where
 * evidence has more, the report says so: the database of `lockgraph export` has all. */
enum { MOST_LISTED = 10000 };

/* ---- locks and classes ---- */

static void add_locks(struct json_list *list, struct model *model, size_t *left_out) {
    for (size_t i = 0; i < model->process_count; i++) {
        struct model_process *process = &model->processes[i];
        size_t count = 0;
        const struct lgr_lock_info *infos = lgr_locks(process->file, &count);
        for (size_t k = 0; k < count; k++)
            if (list->count < MOST_LISTED || model_names_lock(process, infos[k].id))
                json_list_add(list, json_lock(model_lock_of(model, process, infos[k].id)));
            else
                ++*left_out;
    }
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

static void add_classes(struct json_list *list, struct model *model) {
    model_name_classes(model);
    struct usages usages = usages_collect(model);
    for (size_t i = 0; i < model->class_count; i++)
        json_list_add(list, class_object(model->classes[i], &usages));
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

static void add_edges(struct json_list *list, struct model *model, size_t *left_out) {
    for (size_t i = 0; i < model->process_count; i++) {
        struct model_process *process = &model->processes[i];
        size_t count = lgr_edge_count(process->file), room = MOST_LISTED - list->count;
        for (size_t k = 0; k < count && k < room; k++)
            json_list_add(list, graph_edge(model, process, lgr_edge_at(process->file, k)));
        *left_out += count > room ? count - room : 0;
    }
}

/* ---- the whole ---- */

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

static struct json_list begin_list(struct json_object *report, const char *name) {
    struct json_list list = {.out = report->out};
    json_object_name(report, name);
    json_list_begin(&list);
    return list;
}

static void add_processes(struct json_object *report, struct model *model) {
    struct json_list list = begin_list(report, "processes");
    for (size_t i = 0; i < model->process_count; i++)
        json_list_add(&list, json_process(model, &model->processes[i]));
    json_list_end(&list);
}

static void add_findings(struct json_object *report, struct model *model) {
    struct json_list list = begin_list(report, "findings");
    for (size_t i = 0; i < model->finding_count; i++)
        json_list_add(&list, json_finding(&model->findings[i]));
    json_list_end(&list);
}

/* Orders are told after the classes, whose order here is that in which they were met. */
static void add_order(struct json_object *report, struct model *model) {
    size_t more_locks = 0, more_edges = 0;
    struct text edges_text = {0};
    struct json_list locks = begin_list(report, "locks");
    add_locks(&locks, model, &more_locks);
    json_list_end(&locks);
    struct json_list edges = {.out = &edges_text};
    json_list_begin(&edges);
    add_edges(&edges, model, &more_edges);
    json_list_end(&edges);
    struct json_list classes = begin_list(report, "classes");
    add_classes(&classes, model);
    json_list_end(&classes);
    json_object_name(report, "edges");
    text_add_n(report->out, text_string(&edges_text), edges_text.length);
    text_free(&edges_text);
    json_object_add(report, "coverage", coverage_object(&model->coverage));
    if (more_locks + more_edges)
        json_object_add(
            report, "left_out",
            json_packed("{s:I, s:I}", "locks", (json_int_t)more_locks, "edges", (json_int_t)more_edges));
}

void format_json(struct text *out, struct model *model, const struct format_options *options) {
    struct json_object report = {.out = out};
    (void)options;
    json_object_begin(&report);
    json_object_add(&report, "schema", json_text("lockgraph-report/1"));
    json_object_add(&report, "tool", tool_object());
    json_object_add(&report, "options", options_list(model));
    add_processes(&report, model);
    add_findings(&report, model);
    add_order(&report, model);
    if (model->suppressions)
        json_object_add(&report, "suppressions", json_suppressions(model));
    json_object_end(&report);
}
