/* Private memory for the runtime, straight from mmap: never malloc.
 * Thread-safe; not async-signal-safe (the engine's busy flag guards). */
#ifndef LOCKGRAPH_PLATFORM_MEMORY_H
#define LOCKGRAPH_PLATFORM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/safe_read.h"

/* Zeroed memory, 16-byte aligned, from 256 bytes on 64-byte aligned (a cache
 * line); freed blocks are reused by size.  NULL only
 * when the kernel refuses.  Sizes up to 32 KiB come from size classes (steps
 * of at most 25 %), larger ones from mmap; from 1 MiB on in huge pages where the
 * kernel has them to give. */
void *lgp_alloc(size_t size);
/* `size` as given to lgp_alloc.  NULL is allowed. */
void lgp_free(void *memory, size_t size);
/* Contents kept up to the smaller size, the rest zero. */
void *lgp_resize(void *memory, size_t old_size, size_t new_size);

/* Bytes handed out now (not counting what waits for reuse). */
uint64_t lgp_memory_used(void);

/* In a forked child: whether no other thread was inside at the moment of the
 * fork; and, if one was, a new start that leaves all old blocks where they are
 * (small ones may still be freed). */
bool lgp_memory_intact(void);
void lgp_memory_forget(void);

/* Tests: returns everything to the kernel; every pointer handed out is dead. */
void lgp_memory_reset(void);

#endif
