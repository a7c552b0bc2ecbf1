#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "kinds.h"
#include "summary.h"
#include "text.h"

bool summary_is_json(const char *path) {
    FILE *stream = fopen(path, "re");
    int first = ' ';
    while (stream && (first == ' ' || first == '\n' || first == '\t' || first == '\r'))
        first = fgetc(stream);
    if (stream)
        fclose(stream);
    return first == '{';
}

/* NULL unless there is text, which is made clean. */
static const char *text_of(struct pool *pool, const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text_clean(pool, text) : NULL;
}

static bool add_finding(struct pool *pool, struct summary *summary, const json_t *value) {
    struct summary_finding finding = {.id = text_of(pool, value, "id"),
                                      .kind = text_of(pool, value, "kind"),
                                      .title = text_of(pool, value, "title"),
                                      .verdict = text_of(pool, value, "verdict"),
                                      .suppressed = json_is_true(json_object_get(value, "suppressed"))};
    const char *severity = json_string_value(json_object_get(value, "severity"));
    if (!finding.id || !finding.kind || !finding.title || !severity ||
        !severity_parse(severity, &finding.severity))
        return false;
    summary->findings[summary->finding_count++] = finding;
    return true;
}

static bool add_class(struct pool *pool, struct summary *summary, const json_t *value) {
    const json_t *level = json_object_get(value, "level");
    struct summary_class class = {
        .id = text_of(pool, value, "id"), .name = text_of(pool, value, "name"), .level = NO_LEVEL};
    json_int_t number = json_integer_value(level);
    if (json_is_integer(level) && number > INT16_MIN && number <= INT16_MAX)
        class.level = (int)number;
    if (!class.id || !class.name)
        return false;
    summary->classes[summary->class_count++] = class;
    return true;
}

/* An end may be a class that was not recorded. */
static bool add_edge(struct pool *pool, struct summary *summary, const json_t *value) {
    struct summary_edge edge = {text_of(pool, value, "from"), text_of(pool, value, "to")};
    if (edge.from && edge.to)
        summary->edges[summary->edge_count++] = edge;
    return json_is_object(value);
}

static bool add_all(struct pool *pool, struct summary *summary, const json_t *list,
                    bool (*add)(struct pool *, struct summary *, const json_t *)) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!add(pool, summary, json_array_get(list, i)))
            return false;
    return json_is_array(list);
}

static bool read_report(struct pool *pool, const json_t *root, struct summary *summary) {
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const json_t *findings = json_object_get(root, "findings"), *classes = json_object_get(root, "classes");
    const json_t *edges = json_object_get(root, "edges");
    if (!schema || strcmp(schema, "lockgraph-report/1") != 0)
        return false;
    summary->findings = pool_array(pool, json_array_size(findings) + 1, sizeof *summary->findings);
    summary->classes = pool_array(pool, json_array_size(classes) + 1, sizeof *summary->classes);
    summary->edges = pool_array(pool, json_array_size(edges) + 1, sizeof *summary->edges);
    return add_all(pool, summary, findings, add_finding) && add_all(pool, summary, classes, add_class) &&
           add_all(pool, summary, edges, add_edge);
}

bool summary_of_json(struct pool *pool, const char *path, struct summary *summary) {
    json_error_t error;
    const char *name = text_clean(pool, path);
    *summary = (struct summary){0};
    json_t *root = json_load_file(path, 0, &error);
    if (!root) {
        complain("%s:%d:%d: %s; give a report of lockgraph report --format json", name, error.line,
                 error.column, text_clean(pool, error.text));
        return false;
    }
    bool right = read_report(pool, root, summary);
    json_decref(root);
    if (right)
        summary_settle(summary);
    else
        complain("%s is no lockgraph-report/1; give a report of lockgraph report --format json", name);
    return right;
}
