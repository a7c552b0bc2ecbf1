/* The model of what a command line names, for the commands that look into it. */
#ifndef LOCKGRAPH_COMMAND_EVIDENCE_H
#define LOCKGRAPH_COMMAND_EVIDENCE_H

#include "model.h"

/* Reads the evidence that the operands stand for (inputs.h) and complains about what
 * cannot be read: then `status` becomes EXIT_UNREADABLE, else it is left alone.  NULL
 * when nothing at all was read; otherwise freed by model_free before `pool`. */
struct model *evidence_load(struct pool *pool, int count, char **operands,
                            const struct model_options *options, int *status);

/* Writes `out` to the standard output and frees it.  The status to end with: `status`,
 * or EXIT_INTERNAL after complaining that it could not be written. */
struct text;
int evidence_print(struct text *out, int status);

#endif
