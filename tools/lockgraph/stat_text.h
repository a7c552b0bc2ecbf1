/* Contention at a glance: the recorded figures of locks as a table. */
#ifndef LOCKGRAPH_COMMAND_STAT_TEXT_H
#define LOCKGRAPH_COMMAND_STAT_TEXT_H

#include "text.h"
#include "usage.h"

/* The `top` that cost most, classes of locks or (`by_site`) places where they were
 * waited for. */
void stat_text(struct text *out, struct model *model, bool by_site, size_t top);

/* 1234567 as "1.23 ms". */
const char *stat_time(struct pool *pool, uint64_t ns);

#endif
