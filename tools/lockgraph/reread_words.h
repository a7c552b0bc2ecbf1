/* A thread that reads a lock again where writers are preferred, in words: a ring of
 * one lock, which needs a writer to come between. */
#ifndef LOCKGRAPH_COMMAND_REREAD_WORDS_H
#define LOCKGRAPH_COMMAND_REREAD_WORDS_H

#include "model.h"

bool is_reread(const struct model_finding *finding);
/* Fills in all but `explanation`; `why` where that is not said by the verdict alone. */
void narrate_reread(struct pool *pool, struct model_finding *finding);

#endif
