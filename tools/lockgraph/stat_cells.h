/* Figures in columns. */
#ifndef LOCKGRAPH_COMMAND_STAT_CELLS_H
#define LOCKGRAPH_COMMAND_STAT_CELLS_H

#include <stdint.h>

#include "text.h"

/* 1234567 as "1.23 ms". */
const char *stat_time(struct pool *pool, uint64_t ns);

enum { CELL_WIDTH = 12 };
/* One column, what stands in it to the right. */
void add_cell(struct text *out, const char *cell);
void add_number(struct text *out, struct pool *pool, uint64_t number);
void add_time(struct text *out, struct pool *pool, uint64_t ns);

#endif
