/* Places in the program as SARIF's location objects. */
#ifndef LOCKGRAPH_COMMAND_SARIF_PLACES_H
#define LOCKGRAPH_COMMAND_SARIF_PLACES_H

#include <jansson.h>

#include "model.h"

/* The name that stands for the directory of the source, in uriBaseId. */
#define SARIF_ROOT "SRCROOT"

/* A new location with the text beside it (NULL: none): the source line, named from
 * `source_root` (absolute; NULL: none) where it lies below; else the module's file.  An
 * empty one for NULL. */
json_t *sarif_location(struct pool *pool, const struct code_frame *frame, const char *source_root,
                       const char *text);

#endif
