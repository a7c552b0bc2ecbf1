/* A summary from whatever a command line names. */
#ifndef LOCKGRAPH_COMMAND_SUMMARY_LOAD_H
#define LOCKGRAPH_COMMAND_SUMMARY_LOAD_H

#include "summary.h"
#include "text.h"

struct summary_side {
    struct model *model; /* it was made from; NULL: a JSON report */
    struct summary summary;
};

/* From a directory or file of evidence, or a JSON report.  False after complaining; to be
 * freed either way, before `pool`.  `suppressions` NULL: none. */
bool summary_load(struct pool *pool, const char *path, const struct suppressions *suppressions,
                  struct summary_side *side);
void summary_unload(struct summary_side *side);

/* Why names are missing, a line each: ids are made of them, and all of such a module is new or
 * gone.  `path` NULL: of what was given last.  Nothing without a model. */
void summary_add_problems(struct text *out, const struct model *model, const char *path);

#endif
