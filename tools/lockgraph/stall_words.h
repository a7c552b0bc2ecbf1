/* A stall in words: every thread with what it waits for, and what may be wrong. */
#ifndef LOCKGRAPH_COMMAND_STALL_WORDS_H
#define LOCKGRAPH_COMMAND_STALL_WORDS_H

#include "model.h"

static inline bool is_stall(const struct model_finding *finding) { return finding->kind == LGR_KIND_STALL; }
/* Fills title, steps, why and advice; is_stall(finding), with edges. */
void narrate_stall(struct pool *pool, struct model_finding *finding);
/* The first one that waits for a condition tells of its last signal. */
bool stall_tells_signal(const struct model_finding *finding, const struct model_edge *edge);
/* One thread: "waits for T2 to end since 10:00:00.000, holding a". */
const char *stall_edge(struct pool *pool, const struct model_edge *edge);

#endif
