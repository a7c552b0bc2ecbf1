#include "pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_code.h"

#define BLOCK_SIZE ((size_t)64 * 1024)

struct pool_block {
    struct pool_block *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

static _Noreturn void out_of_memory(void) {
    fputs("lockgraph: out of memory\n", stderr);
    exit(EXIT_INTERNAL);
}

void *checked_resize(void *memory, size_t count, size_t size) {
    void *result = reallocarray(memory, count ? count : 1, size ? size : 1);
    if (!result)
        out_of_memory();
    return result;
}

void *checked_zeroed(size_t count, size_t size) {
    void *result = calloc(count ? count : 1, size ? size : 1);
    if (!result)
        out_of_memory();
    return result;
}

static struct pool_block *add_block(struct pool *pool, size_t wanted) {
    size_t size = wanted > BLOCK_SIZE ? wanted : BLOCK_SIZE;
    struct pool_block *block = calloc(1, sizeof *block + size);
    if (!block)
        out_of_memory();
    block->size = size;
    block->next = pool->blocks;
    pool->blocks = block;
    return block;
}

void *pool_alloc(struct pool *pool, size_t size) {
    if (size > SIZE_MAX / 2)
        out_of_memory();
    size = (size + 15) & ~(size_t)15;
    struct pool_block *block = pool->blocks;
    if (!block || block->size - block->used < size)
        block = add_block(pool, size);
    void *result = block->bytes + block->used;
    block->used += size;
    return result;
}

void *pool_array(struct pool *pool, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory();
    return pool_alloc(pool, total);
}

char *pool_string_n(struct pool *pool, const char *text, size_t length) {
    char *copy = pool_alloc(pool, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *pool_string(struct pool *pool, const char *text) { return pool_string_n(pool, text, strlen(text)); }

char *pool_printf(struct pool *pool, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *result = pool_alloc(pool, (size_t)(length < 0 ? 0 : length) + 1);
    vsnprintf(result, (size_t)(length < 0 ? 0 : length) + 1, format, again);
    va_end(again);
    return result;
}

void pool_free(struct pool *pool) {
    while (pool->blocks) {
        struct pool_block *next = pool->blocks->next;
        free(pool->blocks);
        pool->blocks = next;
    }
}
