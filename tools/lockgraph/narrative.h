/* A finding in words: what it is, how it hangs, why it is graded so, and what
 * to change.  Both formats print these sentences. */
#ifndef LOCKGRAPH_COMMAND_NARRATIVE_H
#define LOCKGRAPH_COMMAND_NARRATIVE_H

#include "model.h"

/* Fills title, steps, why, advice and explanation. */
void narrate(struct pool *pool, struct model_finding *finding);

/* One participant: "holds a, wants b". */
const char *narrate_edge(struct pool *pool, const struct model_finding *finding,
                         const struct model_edge *edge);

/* Longer rings are folded in the middle: first and last so many are told. */
#define FOLD_OVER            8
#define FOLD_KEEP            3
#define FOLDED(count, index) ((count) > FOLD_OVER && (index) >= FOLD_KEEP && (index) < (count)-FOLD_KEEP)

#endif
