/* Contention at a glance: the recorded figures of locks as a table. */
#ifndef LOCKGRAPH_COMMAND_STAT_TEXT_H
#define LOCKGRAPH_COMMAND_STAT_TEXT_H

#include "text.h"
#include "usage.h"

enum stat_by {
    STAT_BY_CLASS,  /* of locks */
    STAT_BY_SITE,   /* where they were waited for */
    STAT_BY_THREAD, /* that waited */
};

/* The `top` that cost most. */
void stat_text(struct text *out, struct model *model, enum stat_by by, size_t top);

#endif
