/* A lock in JSON. */
#ifndef LOCKGRAPH_COMMAND_JSON_LOCK_H
#define LOCKGRAPH_COMMAND_JSON_LOCK_H

#include <jansson.h>

#include "model.h"

/* A new reference. */
json_t *json_lock(const struct model_lock *lock);

/* Of a class, which may be NULL: its level or null; and what that is called, where it is. */
json_t *json_level(const struct model_class *class);
void json_add_level_name(json_t *object, const struct model_class *class);

#endif
