/* The part of `lockgraph check` that fails only on what is new. */
#ifndef LOCKGRAPH_COMMAND_CHECK_BASELINE_H
#define LOCKGRAPH_COMMAND_CHECK_BASELINE_H

#include "summary.h"
#include "text.h"

/* Tells what the model has that `before` has not, new findings from `fail_on` on in full,
 * and says whether there is something of that severity. */
bool check_baseline(struct text *out, struct model *model, const struct summary *before, const char *name,
                    unsigned fail_on);

#endif
