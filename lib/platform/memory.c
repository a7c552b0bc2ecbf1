#include "platform/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "platform/futex_lock.h"
#include "platform/system.h"

enum {
    ALIGNMENT = 16,
    LINE = 64, /* of the processor's caches; blocks of LINE_FROM bytes and more begin at one */
    LINE_FROM = 256,
    SMALL_LINEAR = 64, /* classes of 16, 32, 48 and 64 bytes, then four to a doubling */
    SMALL_MAXIMUM = 32768,
    CLASS_COUNT = 40,
    CHUNK_FIRST = 65536,
    CHUNK_LAST = 1048576,
    HUGE = 2097152,      /* a page of the next size, of x86-64 and of aarch64 with small pages */
    HUGE_FROM = 1048576, /* what fills half of one and more begins at one */
#if defined(__x86_64__)
    PAGE = 4096
#else
    PAGE = 65536 /* the largest that kernels are built with */
#endif
};

struct free_block {
    struct free_block *next;
};

struct chunk {
    _Alignas(LINE) struct chunk *next;
    size_t size;
};

/* In front of every block that has a mapping of its own. */
struct large {
    _Alignas(LINE) struct large *next;
    struct large *previous;
    size_t mapped;
};

/* Everything below is guarded by `lock`; `used` is also read without it. */
static struct lgp_lock lock = LGP_LOCK_INIT;
static struct free_block *free_blocks[CLASS_COUNT];
static struct chunk *chunks;
static struct large *large_blocks;
static char *fresh; /* rest of the newest chunk, never handed out: still zero */
static size_t fresh_left;
static size_t next_chunk = CHUNK_FIRST;
static _Atomic uint64_t used;

/* Only ever changed under the lock, so a plain store does; it is atomic for
 * the readers' sake. */
static void count_used(uint64_t change) {
    uint64_t now = atomic_load_explicit(&used, memory_order_relaxed);
    atomic_store_explicit(&used, now + change, memory_order_relaxed);
}

/* ThreadSanitizer must see pages come and go, or it takes a reused address for
 * a race: its builds go through libc. */
#if defined(__has_feature)
#define THREAD_SANITIZER __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

static void *map_pages(size_t size) {
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    if (THREAD_SANITIZER) {
        void *memory = mmap(NULL, size, protection, flags, -1, 0);
        return memory == MAP_FAILED ? NULL : memory;
    }
    long result = lgp_syscall(SYS_mmap, 0, (long)size, protection, flags, -1, 0);
    return lgp_is_error(result) ? NULL : (void *)result;
}

static void unmap_pages(void *memory, size_t size) {
    if (THREAD_SANITIZER)
        munmap(memory, size);
    else
        lgp_syscall(SYS_munmap, (long)memory, (long)size, 0, 0, 0, 0);
}

/* `size` is a multiple of HUGE, and so is the address.  Large tables are read at random: with
 * small pages most of it is walking page tables (docs/decisions.md).  Only advice:
 * the administrator's setting decides. */
static void *map_huge_pages(size_t size) {
    char *memory = map_pages(size + HUGE); /* at any page of the kernel's, which may be smaller than ours */
    if (memory == NULL)
        return NULL;
    size_t before = -(uintptr_t)memory % HUGE;
    if (before != 0)
        unmap_pages(memory, before);
    unmap_pages(memory + before + size, HUGE - before);
    lgp_syscall(SYS_madvise, (long)(memory + before), (long)size, MADV_HUGEPAGE, 0, 0, 0);
    return memory + before;
}

/* --- size classes --- */

static unsigned class_of(size_t size, size_t *rounded) {
    if (size <= SMALL_LINEAR) {
        unsigned index = size == 0 ? 0 : (unsigned)((size - 1) / ALIGNMENT);
        *rounded = (index + 1u) * (size_t)ALIGNMENT;
        return index;
    }
    unsigned top = 63u - (unsigned)__builtin_clzl(size - 1);
    unsigned quarter = (unsigned)((size - 1) >> (top - 2)) & 3u;
    *rounded = (size_t)(5 + quarter) << (top - 2);
    return 4 + (top - 6) * 4 + quarter;
}

static size_t class_size(unsigned index) {
    if (index < 4)
        return (index + 1u) * (size_t)ALIGNMENT;
    return (size_t)(5 + (index & 3u)) << ((index - 4) / 4 + 4);
}

static void push_free(unsigned index, void *memory) {
    struct free_block *block = memory;
    block->next = free_blocks[index];
    free_blocks[index] = block;
}

static void align_fresh(void) {
    for (; (uintptr_t)fresh % LINE != 0 && fresh_left != 0; fresh += ALIGNMENT, fresh_left -= ALIGNMENT)
        push_free(0, fresh);
}

/* The rest of a chunk that is too small for the request goes to the free
 * lists, largest blocks first: those from LINE_FROM on are multiples of LINE. */
static void salvage_fresh(void) {
    align_fresh();
    for (unsigned index = CLASS_COUNT; index-- > 0;)
        while (fresh_left >= class_size(index)) {
            push_free(index, fresh);
            fresh += class_size(index);
            fresh_left -= class_size(index);
        }
}

static bool add_chunk(void) {
    struct chunk *chunk = map_pages(next_chunk);
    if (chunk == NULL)
        return false;
    salvage_fresh();
    chunk->next = chunks;
    chunk->size = next_chunk;
    chunks = chunk;
    fresh = (char *)(chunk + 1);
    fresh_left = next_chunk - sizeof *chunk;
    if (next_chunk < CHUNK_LAST)
        next_chunk *= 2;
    return true;
}

static void *take_fresh(size_t rounded) {
    if (rounded >= LINE_FROM)
        align_fresh();
    if (fresh_left < rounded && !add_chunk())
        return NULL;
    void *memory = fresh;
    fresh += rounded;
    fresh_left -= rounded;
    return memory;
}

static void *alloc_small(size_t size) {
    size_t rounded;
    unsigned index = class_of(size, &rounded);
    lgp_lock(&lock);
    struct free_block *reused = free_blocks[index];
    void *memory = reused;
    if (reused != NULL)
        free_blocks[index] = reused->next;
    else
        memory = take_fresh(rounded);
    if (memory != NULL)
        count_used(rounded);
    lgp_unlock(&lock);
    return reused != NULL ? memset(memory, 0, rounded) : memory;
}

static void free_small(void *memory, size_t size) {
    size_t rounded;
    unsigned index = class_of(size, &rounded);
    lgp_lock(&lock);
    push_free(index, memory);
    count_used(0 - (uint64_t)rounded);
    lgp_unlock(&lock);
}

/* --- blocks with a mapping of their own --- */

/* 0 when the sum overflows. */
static size_t mapped_size(size_t size) {
    size_t page = size >= HUGE_FROM - sizeof(struct large) ? HUGE : PAGE, sum;
    bool overflows = __builtin_add_overflow(size, sizeof(struct large) + page - 1, &sum);
    return overflows ? 0 : sum & ~(page - 1);
}

static void *map_large(size_t mapped) {
    void *memory = mapped % HUGE == 0 ? map_huge_pages(mapped) : NULL;
    return memory != NULL ? memory : map_pages(mapped);
}

static void link_large(struct large *block) {
    block->previous = NULL;
    block->next = large_blocks;
    if (large_blocks != NULL)
        large_blocks->previous = block;
    large_blocks = block;
    count_used(block->mapped);
}

static void unlink_large(struct large *block) {
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        large_blocks = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
    count_used(0 - (uint64_t)block->mapped);
}

static void *alloc_large(size_t size) {
    size_t mapped = mapped_size(size);
    struct large *block = mapped == 0 ? NULL : map_large(mapped);
    if (block == NULL)
        return NULL;
    block->mapped = mapped;
    lgp_lock(&lock);
    link_large(block);
    lgp_unlock(&lock);
    return block + 1;
}

static void free_large(void *memory) {
    struct large *block = (struct large *)memory - 1;
    lgp_lock(&lock);
    unlink_large(block);
    lgp_unlock(&lock);
    unmap_pages(block, block->mapped);
}

/* Pages that mremap adds are zero; the rest of what was mapped may not be. */
static void clear_rest(struct large *block, size_t mapped, size_t old_size, size_t new_size) {
    size_t room = mapped - sizeof *block;
    if (old_size < room && old_size < new_size)
        memset((char *)(block + 1) + old_size, 0, (new_size < room ? new_size : room) - old_size);
}

/* Moves pages instead of bytes.  The neighbours in the list must not see the
 * block while it moves. */
static void *resize_large(void *memory, size_t old_size, size_t new_size) {
    struct large *block = (struct large *)memory - 1;
    size_t mapped = mapped_size(new_size), was_mapped = block->mapped;
    if (mapped == 0)
        return NULL;
    lgp_lock(&lock);
    unlink_large(block);
    long moved =
        lgp_syscall(SYS_mremap, (long)block, (long)block->mapped, (long)mapped, MREMAP_MAYMOVE, 0, 0);
    bool refused = lgp_is_error(moved);
    if (!refused) {
        block = (struct large *)moved;
        block->mapped = mapped;
    }
    link_large(block);
    lgp_unlock(&lock);
    if (refused)
        return NULL;
    clear_rest(block, was_mapped, old_size, new_size);
    return block + 1;
}

/* --- contract --- */

void *lgp_alloc(size_t size) { return size <= SMALL_MAXIMUM ? alloc_small(size) : alloc_large(size); }

void lgp_free(void *memory, size_t size) {
    if (memory == NULL)
        return;
    if (size <= SMALL_MAXIMUM)
        free_small(memory, size);
    else
        free_large(memory);
}

static bool same_class(size_t old_size, size_t new_size) {
    size_t old_rounded, new_rounded;
    if (old_size > SMALL_MAXIMUM || new_size > SMALL_MAXIMUM)
        return false;
    return class_of(old_size, &old_rounded) == class_of(new_size, &new_rounded);
}

void *lgp_resize(void *memory, size_t old_size, size_t new_size) {
    if (memory == NULL)
        return lgp_alloc(new_size);
    if (old_size > SMALL_MAXIMUM && new_size > SMALL_MAXIMUM && !THREAD_SANITIZER)
        return resize_large(memory, old_size, new_size);
    if (same_class(old_size, new_size)) {
        if (new_size > old_size)
            memset((char *)memory + old_size, 0, new_size - old_size);
        return memory;
    }
    void *moved = lgp_alloc(new_size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, memory, old_size < new_size ? old_size : new_size);
    lgp_free(memory, old_size);
    return moved;
}

uint64_t lgp_memory_used(void) { return atomic_load_explicit(&used, memory_order_relaxed); }

bool lgp_memory_intact(void) { return atomic_load_explicit(&lock.state, memory_order_relaxed) == 0; }

void lgp_memory_forget(void) {
    memset(free_blocks, 0, sizeof(free_blocks));
    chunks = NULL;
    large_blocks = NULL;
    fresh = NULL;
    fresh_left = 0;
    next_chunk = CHUNK_FIRST;
    atomic_store_explicit(&used, 0, memory_order_relaxed);
    atomic_store_explicit(&lock.state, 0, memory_order_relaxed);
}

static void unmap_chunks(void) {
    while (chunks != NULL) {
        struct chunk *next = chunks->next;
        unmap_pages(chunks, chunks->size);
        chunks = next;
    }
}

static void unmap_large_blocks(void) {
    while (large_blocks != NULL) {
        struct large *next = large_blocks->next;
        unmap_pages(large_blocks, large_blocks->mapped);
        large_blocks = next;
    }
}

void lgp_memory_reset(void) {
    lgp_lock(&lock);
    unmap_chunks();
    unmap_large_blocks();
    memset(free_blocks, 0, sizeof(free_blocks));
    fresh = NULL;
    fresh_left = 0;
    next_chunk = CHUNK_FIRST;
    atomic_store_explicit(&used, 0, memory_order_relaxed);
    lgp_unlock(&lock);
}
