/* Memory that is freed with the reader's file, as a whole. */
#ifndef LOCKGRAPH_RECORD_READER_ARENA_H
#define LOCKGRAPH_RECORD_READER_ARENA_H

#include <stddef.h>

struct lgr_arena {
    struct lgr_arena_block *blocks;
};

/* Zeroed, aligned for every record; NULL when out of memory. */
void *lgr_arena_take(struct lgr_arena *arena, size_t size);
void lgr_arena_free(struct lgr_arena *arena);

#endif
