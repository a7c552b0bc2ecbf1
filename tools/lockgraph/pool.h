/* Memory that lives as long as one report: allocated piece by piece, freed in
 * one go.  Not thread-safe; the command has one thread. */
#ifndef LOCKGRAPH_COMMAND_POOL_H
#define LOCKGRAPH_COMMAND_POOL_H

#include <stddef.h>

struct pool_block;
struct pool {
    struct pool_block *blocks;
};

/* Zeroed, 16-byte aligned.  Never NULL: the command ends with EXIT_INTERNAL
 * when memory is refused. */
void *pool_alloc(struct pool *pool, size_t size);
void *pool_array(struct pool *pool, size_t count, size_t size);
char *pool_string(struct pool *pool, const char *text);
char *pool_string_n(struct pool *pool, const char *text, size_t length);
char *pool_printf(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pool_free(struct pool *pool);

/* malloc and realloc under the same rule, for arrays that grow. */
void *checked_resize(void *memory, size_t count, size_t size);
/* calloc. */
void *checked_zeroed(size_t count, size_t size);

#endif
