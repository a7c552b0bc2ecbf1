/* What the page of an HTML report is drawn from: one JSON object.  Its form belongs to the
 * page and changes with it; report.schema.json is the one that others may rely on. */
#ifndef LOCKGRAPH_COMMAND_HTML_DATA_H
#define LOCKGRAPH_COMMAND_HTML_DATA_H

#include <jansson.h>

#include "format.h"

/* A new reference. */
json_t *html_data(struct model *model, const struct format_options *options);

#endif
