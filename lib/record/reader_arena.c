#include "record/reader_arena.h"

#include <stdint.h>
#include <stdlib.h>

#define BLOCK ((size_t)64 * 1024)
#define ALIGN ((size_t)8)

struct lgr_arena_block {
    struct lgr_arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

static struct lgr_arena_block *add_block(struct lgr_arena *arena, size_t wanted) {
    size_t size = wanted > BLOCK ? wanted : BLOCK;
    struct lgr_arena_block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    *block = (struct lgr_arena_block){.next = arena->blocks, .size = size};
    arena->blocks = block;
    return block;
}

void *lgr_arena_take(struct lgr_arena *arena, size_t size) {
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct lgr_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    if (!block)
        return NULL;
    void *place = block->bytes + block->used;
    block->used += size;
    return place;
}

void lgr_arena_free(struct lgr_arena *arena) {
    while (arena->blocks) {
        struct lgr_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
