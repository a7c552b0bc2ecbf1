/* A line of `report --follow --format json`: $defs/follow of docs/report.schema.json. */
#ifndef LOCKGRAPH_COMMAND_FOLLOW_JSON_H
#define LOCKGRAPH_COMMAND_FOLLOW_JSON_H

#include "model.h"
#include "text.h"

/* `again`: it was told before, and is graded up. */
void follow_json(struct text *out, const struct model_finding *finding, bool again);

#endif
