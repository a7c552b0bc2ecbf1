#include "follow_json.h"

#include <string.h>

#include "json_lock.h"
#include "json_parts.h"

static void add_lock(json_t *locks, const struct model_lock *lock) {
    size_t i;
    json_t *known;
    if (!lock)
        return;
    json_array_foreach(locks, i, known) {
        if (strcmp(json_string_value(json_object_get(known, "id")), lock->id) == 0)
            return;
    }
    json_array_append_new(locks, json_lock(lock));
}

/* Every lock that the finding names by its id. */
static json_t *locks_of(const struct model_finding *finding) {
    json_t *locks = json_array();
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        add_lock(locks, edge->from);
        add_lock(locks, edge->to);
        for (size_t k = 0; k < edge->held_count; k++)
            add_lock(locks, edge->held[k].lock);
    }
    return locks;
}

void follow_json(struct text *out, const struct model_finding *finding, bool again) {
    json_write_as(out,
                  json_packed("{s:s, s:s, s:s, s:o, s:o}", "schema", "lockgraph-follow/1", "event",
                              again ? "graded-up" : "new", "program", finding->process->program, "finding",
                              json_finding(finding), "locks", locks_of(finding)),
                  JSON_COMPACT);
    text_add(out, "\n");
}
