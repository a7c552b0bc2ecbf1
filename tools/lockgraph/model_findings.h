/* The part of the model that turns finding records into findings: names them,
 * unites the same problem of several processes, sorts. */
#ifndef LOCKGRAPH_COMMAND_MODEL_FINDINGS_H
#define LOCKGRAPH_COMMAND_MODEL_FINDINGS_H

#include "model.h"

void collect_findings(struct model *model, bool strict);

#endif
