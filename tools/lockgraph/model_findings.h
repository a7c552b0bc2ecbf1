/* The part of the model that turns finding records into findings: names them,
 * unites the same problem of several processes, sorts. */
#ifndef LOCKGRAPH_COMMAND_MODEL_FINDINGS_H
#define LOCKGRAPH_COMMAND_MODEL_FINDINGS_H

#include "model.h"

void collect_findings(struct model *model, bool strict);

/* A sighting in the order graph as findings have it, but for its labels. */
struct model_edge model_edge_of(struct model *model, struct model_process *process,
                                const struct lgr_edge *edge);
/* Fills the labels of all edges of a finding. */
void model_label_edges(struct model *model, struct model_finding *finding);

#endif
