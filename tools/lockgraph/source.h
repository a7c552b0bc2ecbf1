/* Lines of source files, where they are at hand. */
#ifndef LOCKGRAPH_COMMAND_SOURCE_H
#define LOCKGRAPH_COMMAND_SOURCE_H

#include <stddef.h>

#include "pool.h"

#define EXCERPT_LINES 3

struct excerpt {
    size_t count;                     /* 0: not at hand */
    unsigned first;                   /* number of the first line */
    const char *lines[EXCERPT_LINES]; /* clean, tabs as four columns */
};

/* The line and its neighbours. */
struct excerpt source_excerpt(struct pool *pool, const char *file, unsigned line);

#endif
