/* One finding, named by its id or the beginning of it. */
#ifndef LOCKGRAPH_COMMAND_FINDING_PICK_H
#define LOCKGRAPH_COMMAND_FINDING_PICK_H

#include "model.h"

/* Whether `text` can be the beginning of an id; complains in the name of `command`
 * when not. */
bool finding_prefix_fits(const char *command, const char *text);
/* The one finding whose id begins with `prefix`; NULL after complaining that there is
 * none, or which ones there are. */
const struct model_finding *finding_pick(const struct model *model, const char *command, const char *prefix);

#endif
