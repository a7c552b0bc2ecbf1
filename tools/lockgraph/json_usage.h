/* How the locks of a class were used, as JSON. */
#ifndef LOCKGRAPH_COMMAND_JSON_USAGE_H
#define LOCKGRAPH_COMMAND_JSON_USAGE_H

#include <jansson.h>

#include "usage.h"

/* NULL: nothing is known. */
json_t *json_usage(const struct model_class *class, const struct usages *usages);

#endif
