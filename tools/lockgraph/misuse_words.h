/* A misuse in words: one row of a table for each kind of the catalogue. */
#ifndef LOCKGRAPH_COMMAND_MISUSE_WORDS_H
#define LOCKGRAPH_COMMAND_MISUSE_WORDS_H

#include "model.h"

/* Whether the finding is one wrong call, not a ring of threads.  False for
 * kinds that this version does not know. */
bool is_misuse(const struct model_finding *finding);
/* Fills title, steps, why and advice; is_misuse(finding), with edges. */
void narrate_misuse(struct pool *pool, struct model_finding *finding);
/* "unlocked", what the wrong call did; "taken", what came before it. */
const char *misuse_call(const struct model_finding *finding);
const char *misuse_earlier(const struct model_finding *finding);

#endif
