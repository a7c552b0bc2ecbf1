/* What `lockgraph check` found, for machines: docs/check.schema.json. */
#ifndef LOCKGRAPH_COMMAND_CHECK_JSON_H
#define LOCKGRAPH_COMMAND_CHECK_JSON_H

#include "check_judge.h"
#include "text.h"

void check_json(struct text *out, const struct checked *checked);

#endif
