#include "json_stream.h"

#include <string.h>

#include "json_parts.h"

/* On a line of its own, as deep as that says; strings have no line ends in JSON. */
static void add_indented(struct text *out, json_t *value, size_t depth) {
    struct text piece = {0};
    json_write_as(&piece, value, JSON_INDENT(1) | JSON_ENCODE_ANY);
    const char *line = text_string(&piece), *end;
    while ((end = strchr(line, '\n')) != NULL) {
        text_add_n(out, line, (size_t)(end - line) + 1);
        text_fill(out, ' ', depth);
        line = end + 1;
    }
    text_add(out, line);
    text_free(&piece);
}

static void next_line(struct text *out, size_t *count, size_t depth) {
    text_add(out, (*count)++ ? ",\n" : "\n");
    text_fill(out, ' ', depth);
}

static void end(struct text *out, size_t count, size_t depth, const char *bracket) {
    if (count) {
        text_add(out, "\n");
        text_fill(out, ' ', depth);
    }
    text_add(out, bracket);
}

void json_object_begin(struct json_object *object) { text_add(object->out, "{"); }

void json_object_name(struct json_object *object, const char *name) {
    next_line(object->out, &object->count, 1);
    text_printf(object->out, "\"%s\": ", name);
}

void json_object_add(struct json_object *object, const char *name, json_t *value) {
    json_object_name(object, name);
    add_indented(object->out, value, 1);
}

void json_object_end(struct json_object *object) {
    end(object->out, object->count, 0, "}");
    text_add(object->out, "\n");
}

void json_list_begin(struct json_list *list) { text_add(list->out, "["); }

void json_list_add(struct json_list *list, json_t *element) {
    next_line(list->out, &list->count, 2);
    add_indented(list->out, element, 2);
}

void json_list_end(struct json_list *list) { end(list->out, list->count, 1, "]"); }
