#include "check_json.h"

#include <stdint.h>

#include "json_parts.h"
#include "version.h"

static json_t *level_of(const struct order_class *class) {
    return class && class->level != NO_LEVEL ? json_integer(class->level) : json_null();
}

static json_t *place_of(const struct order_place *place) {
    return json_packed("{s:s, s:i}", "file", place->file, "line", (int)place->line);
}

static json_t *end_of(const struct checked *checked, size_t class) {
    const struct order_class *known = checked_class(checked, class);
    return json_packed("{s:s, s:b, s:o}", "class", checked_name(checked, class), "declared", known != NULL,
                       "level", level_of(known));
}

static json_t *pair_object(const struct checked *checked, const struct seen_pair *pair,
                           enum check_verdict verdict) {
    json_t *object =
        json_packed("{s:o, s:o, s:I, s:o, s:o}", "held", end_of(checked, pair->from), "requested",
                    end_of(checked, pair->to), "places", (json_int_t)pair->sightings, "held_at",
                    json_stack(checked_held_at(checked, pair)), "requested_at",
                    json_stack(checked_requested_at(checked, pair)));
    if (verdict == CHECK_BREAKS || verdict == CHECK_BLESSED)
        json_object_set_new(object, "against", json_text(checked_reason(checked, pair)));
    if (verdict == CHECK_BLESSED)
        json_object_set_new(object, "reason", json_text(checked_blessing(checked, pair)));
    return object;
}

static json_t *pairs(const struct checked *checked, enum check_verdict verdict) {
    json_t *list = json_array();
    for (size_t i = 0; i < checked->seen->pair_count; i++)
        if (checked->verdicts[i] == verdict)
            json_array_append_new(list, pair_object(checked, &checked->seen->pairs[i], verdict));
    return list;
}

static json_t *new_classes(const struct checked *checked) {
    json_t *list = json_array();
    for (size_t i = 0; i < checked->seen->class_count; i++) {
        const struct seen_class *class = &checked->seen->classes[i];
        if (class->declared != SIZE_MAX)
            continue;
        json_array_append_new(list, json_packed("{s:s, s:o}", "class", checked_name(checked, i), "rule",
                                                json_text(class->guessed ? class->use_rule : class->rule)));
    }
    return list;
}

static json_t *never_exercised(const struct checked *checked) {
    json_t *list = json_array();
    for (size_t i = 0; i < checked->order->class_count; i++) {
        const struct order_class *class = &checked->order->classes[i];
        if (!checked->exercised[i])
            json_array_append_new(list, json_packed("{s:s, s:o, s:o}", "class", class->name, "level",
                                                    level_of(class), "declared_at", place_of(&class->place)));
    }
    return list;
}

static json_t *order_files(const struct checked *checked) {
    json_t *list = json_array();
    for (size_t i = 0; i < checked->order->file_count; i++)
        json_array_append_new(list, json_text(text_clean(&checked->model->pool, checked->order->files[i])));
    return list;
}

void check_json(struct text *out, const struct checked *checked) {
    json_t *root = json_packed(
        "{s:s, s:{s:s, s:s}, s:o, s:I, s:o, s:o, s:o, s:o, s:o}", "schema", "lockgraph-check/1", "tool",
        "name", "lockgraph", "version", LOCKGRAPH_VERSION, "order", order_files(checked), "kept",
        (json_int_t)checked_count(checked, CHECK_KEEPS), "breaks", pairs(checked, CHECK_BREAKS), "blessed",
        pairs(checked, CHECK_BLESSED), "new_classes", new_classes(checked), "new_pairs",
        pairs(checked, CHECK_NEW), "never_exercised", never_exercised(checked));
    json_write(out, root);
}
