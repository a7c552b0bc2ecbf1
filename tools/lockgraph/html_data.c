#include "html_data.h"

#include <string.h>

#include "html_findings.h"
#include "html_graph.h"
#include "html_tables.h"
#include "html_timeline.h"
#include "json_parts.h"
#include "kinds.h"
#include "usage.h"
#include "version.h"

/* ---- head and foot ---- */

static json_t *verdict(const struct model *model) {
    return json_packed("{s:I, s:I, s:I, s:I, s:b}", "error", (json_int_t)model_count_of(model, LGR_ERROR),
                       "warning", (json_int_t)model_count_of(model, LGR_WARNING), "note",
                       (json_int_t)model_count_of(model, LGR_NOTE), "suppressed",
                       (json_int_t)model_count_suppressed(model), "seen",
                       model->finding_count || model->coverage.locks);
}

static json_t *lines_of(struct text *text) {
    json_t *lines = json_array();
    const char *at = text_string(text);
    for (size_t length; *at; at += length + (at[length] == '\n')) {
        length = strcspn(at, "\n");
        size_t blanks = strspn(at, " ");
        if (length > blanks)
            json_array_append_new(lines, json_stringn(at + blanks, length - blanks));
    }
    text_free(text);
    return lines;
}

static json_t *processes(struct model *model) {
    struct text text = {0};
    for (size_t i = 0; i < model->process_count; i++)
        format_text_process(&text, model, &model->processes[i]);
    return lines_of(&text);
}

static json_t *coverage(struct model *model) {
    struct text text = {0};
    format_text_coverage(&text, model);
    return lines_of(&text);
}

static json_t *remarks(struct model *model, const struct format_options *options) {
    struct text text = {0};
    const char *problem;
    for (size_t i = 0; (problem = symbols_problem(model->symbols, i)); i++)
        text_printf(&text, "Symbols: %s.\n", problem);
    format_order(&text, model, options);
    format_suppressions(&text, model, false);
    return lines_of(&text);
}

/* ---- classes, with what their locks cost ---- */

static json_t *times_object(const struct lgr_times *times) {
    json_int_t count = (json_int_t)lgr_times_count(times);
    if (count == 0)
        return json_null();
    return json_packed("{s:I, s:I, s:I}", "count", count, "total_ns", (json_int_t)times->total_ns, "max_ns",
                       (json_int_t)times->max_ns);
}

static json_t *usage_object(const struct lgr_figures *figures) {
    return json_packed("{s:I, s:I, s:o, s:o}", "contended", (json_int_t)figures->contended, "waiters_max",
                       (json_int_t)figures->waiters_max, "wait", times_object(&figures->wait), "hold",
                       times_object(&figures->hold));
}

static json_t *class_object(const struct model_class *class) {
    return json_packed("{s:s, s:s, s:s, s:o}", "name", class->short_name, "full", class->name, "kind",
                       class->kind, "level",
                       class->level != NO_LEVEL ? json_integer(class->level) : json_null());
}

/* The index of each is that of the model, which names them as they are asked for: last. */
static json_t *classes(struct model *model, const struct usages *usages) {
    json_t *list = json_array();
    for (size_t i = 0; i < model->class_count; i++)
        json_array_append_new(list, class_object(model->classes[i]));
    for (size_t i = 0; i < usages->count; i++)
        if (!usages->list[i].at)
            json_object_set_new(json_array_get(list, usages->list[i].class->index), "usage",
                                usage_object(&usages->list[i].figures));
    return list;
}

/* ---- the whole ---- */

static json_t *head(struct model *model, const struct format_options *options) {
    const char *program = model->process_count ? model->processes[0].program : "";
    return json_packed("{s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "version", LOCKGRAPH_VERSION, "program",
                       program, "verdict", verdict(model), "processes", processes(model), "coverage",
                       coverage(model), "remarks", remarks(model, options), "show_notes",
                       options->show_notes);
}

json_t *html_data(struct model *model, const struct format_options *options) {
    struct html_tables tables = html_tables_begin(model);
    struct html_graph graph = html_graph_begin(&tables);
    struct usages usages = usages_collect(model);
    json_t *data = head(model, options);
    json_object_set_new(data, "findings", html_findings(&tables, &graph));
    json_object_set_new(data, "edges", html_graph_edges(&graph));
    json_object_set_new(data, "timeline", html_timeline(model));
    json_object_set_new(data, "classes", classes(model, &usages));
    json_object_set_new(data, "holds_timed", json_boolean(usages.holds));
    json_object_set_new(data, "frames", tables.frames);
    json_object_set_new(data, "stacks", tables.stacks);
    html_graph_end(&graph);
    html_tables_end(&tables);
    return data;
}
