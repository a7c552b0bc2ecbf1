/* A JSON object written member by member, in the layout of json_write: of a large report no
 * more than one part is ever a tree in memory.  Values are taken; the command ends where there
 * is no memory for one. */
#ifndef LOCKGRAPH_COMMAND_JSON_STREAM_H
#define LOCKGRAPH_COMMAND_JSON_STREAM_H

#include <jansson.h>
#include <stddef.h>

#include "text.h"

struct json_object {
    struct text *out;
    size_t count; /* members */
};

/* The elements of an array that is a member of it. */
struct json_list {
    struct text *out;
    size_t count;
};

void json_object_begin(struct json_object *object);
void json_object_name(struct json_object *object, const char *name); /* the value comes next */
void json_object_add(struct json_object *object, const char *name, json_t *value);
void json_object_end(struct json_object *object);

void json_list_begin(struct json_list *list);
void json_list_add(struct json_list *list, json_t *element);
void json_list_end(struct json_list *list);

#endif
