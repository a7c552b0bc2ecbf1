/* Call stacks as text: aligned, shared frames told once, the source line
 * marked. */
#ifndef LOCKGRAPH_COMMAND_FORMAT_STACKS_H
#define LOCKGRAPH_COMMAND_FORMAT_STACKS_H

#include "format.h"

/* Both stacks of one edge. */
void format_edge_stacks(struct text *out, struct model *model, const struct model_finding *finding,
                        const struct model_edge *edge, bool color);

#endif
