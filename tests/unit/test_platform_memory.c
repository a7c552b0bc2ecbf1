#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/memory.h"

static const size_t sizes[] = {0,   1,    16,   17,   64,    65,    80,    81,     128,
                               129, 1000, 4096, 5000, 32767, 32768, 32769, 100000, 300000};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static bool all_bytes(const void *memory, size_t size, unsigned char value) {
    const unsigned char *bytes = memory;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

START_TEST(blocks_are_zero_and_aligned) {
    for (size_t size = 0; size < 40000; size += size < 300 ? 1 : 97) {
        void *memory = lgp_alloc(size);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % (size < 256 ? 16 : 64), 0);
        ck_assert(all_bytes(memory, size, 0));
        memset(memory, 0xee, size);
        lgp_free(memory, size);
    }
}
END_TEST

START_TEST(freed_blocks_are_reused_and_zero_again) {
    for (size_t i = 0; i < SIZES && sizes[i] <= 32768; i++) {
        void *first = lgp_alloc(sizes[i]);
        memset(first, 0xee, sizes[i]);
        lgp_free(first, sizes[i]);
        void *second = lgp_alloc(sizes[i]);
        ck_assert_ptr_eq(first, second);
        ck_assert(all_bytes(second, sizes[i], 0));
    }
}
END_TEST

START_TEST(blocks_do_not_overlap) {
    enum { BLOCKS = 3000 };
    static unsigned char *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = lgp_alloc(i * 13);
        memset(blocks[i], (int)(i & 0xff), i * 13);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        ck_assert(all_bytes(blocks[i], i * 13, (unsigned char)(i & 0xff)));
}
END_TEST

/* What one block takes beyond its size, from the books. */
START_TEST(size_classes_waste_at_most_a_quarter) {
    for (size_t size = 64; size <= 32768; size++) {
        uint64_t before = lgp_memory_used();
        void *memory = lgp_alloc(size);
        uint64_t taken = lgp_memory_used() - before;
        ck_assert_uint_ge(taken, size);
        ck_assert_uint_le(taken, size + (size + 3) / 4);
        lgp_free(memory, size);
        ck_assert_uint_eq(lgp_memory_used(), before);
    }
}
END_TEST

START_TEST(large_blocks_go_back_to_the_kernel) {
    enum { LARGE = 1 << 20 };
    char byte;
    unsigned char *memory = lgp_alloc(LARGE);
    memset(memory, 0xee, LARGE);
    lgp_free(memory, LARGE);
    ck_assert(!lgp_read_safely(&byte, memory, 1));
    ck_assert_uint_eq(lgp_memory_used(), 0);
}
END_TEST

static size_t mapped_now(void) {
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_int_eq(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages;
}

/* Whatever address the kernel gave first. */
START_TEST(very_large_blocks_begin_at_a_huge_page) {
    enum { LARGE = 3 << 20, HUGE = 2 << 20, LINE = 64, TIMES = 8 };
    void *between[TIMES];
    size_t before = mapped_now();
    for (int i = 0; i < TIMES; i++) {
        unsigned char *memory = lgp_alloc(LARGE);
        ck_assert_uint_eq((uintptr_t)memory % HUGE, LINE);
        ck_assert(all_bytes(memory, LARGE, 0));
        memset(memory, 0xee, LARGE);
        between[i] = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        lgp_free(memory, LARGE);
    }
    for (int i = 0; i < TIMES; i++)
        munmap(between[i], 3 * 4096);
    ck_assert_uint_eq(lgp_memory_used(), 0);
    ck_assert_uint_le(mapped_now(), before + 256); /* stdio's buffer, an emulator's own */
}
END_TEST

static void check_resize(size_t from, size_t to) {
    size_t kept = from < to ? from : to;
    unsigned char *memory = lgp_alloc(from);
    memset(memory, 0xee, from);
    memory = lgp_resize(memory, from, to);
    ck_assert_ptr_nonnull(memory);
    ck_assert(all_bytes(memory, kept, 0xee));
    ck_assert(all_bytes(memory + kept, to - kept, 0));
    /* Down and up again: what was cut off must not come back. */
    memset(memory, 0xdd, to);
    memory = lgp_resize(memory, to, to / 2);
    memory = lgp_resize(memory, to / 2, to);
    ck_assert(all_bytes(memory, to / 2, 0xdd));
    ck_assert(all_bytes(memory + to / 2, to - to / 2, 0));
    lgp_free(memory, to);
}

/* Wherever the kernel begins what such a block is cut out of, which is at any page of its own. */
START_TEST(very_large_blocks_are_whole) {
    enum { KERNEL_PAGE = 4096, HUGE = 2097152, STEPS = HUGE / KERNEL_PAGE, SIZE = HUGE - 64, LAST = 65536 };
    static unsigned char *neighbours[STEPS];
    for (int i = 0; i < STEPS; i++) {
        neighbours[i] = mmap(NULL, KERNEL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(neighbours[i], MAP_FAILED);
        unsigned char *block = lgp_alloc(SIZE), last;
        ck_assert(lgp_read_safely(&last, block + SIZE - 1, 1));
        memset(block + SIZE - LAST, 0xee, LAST);
        ck_assert(all_bytes(neighbours[i], KERNEL_PAGE, 0));
        lgp_free(block, SIZE);
    }
    for (int i = 0; i < STEPS; i++)
        munmap(neighbours[i], KERNEL_PAGE);
}
END_TEST

START_TEST(resizing_keeps_contents_and_zeroes_the_rest) {
    for (size_t i = 0; i < SIZES; i++)
        for (size_t j = 0; j < SIZES; j++)
            check_resize(sizes[i], sizes[j]);
    ck_assert_uint_eq(lgp_memory_used(), 0);
}
END_TEST

START_TEST(resizing_nothing_allocates) {
    unsigned char *memory = lgp_resize(NULL, 0, 100);
    ck_assert_ptr_nonnull(memory);
    ck_assert(all_bytes(memory, 100, 0));
    lgp_free(NULL, 100);
}
END_TEST

START_TEST(impossible_sizes_are_refused) {
    unsigned char *memory = lgp_alloc(100000);
    memory[99999] = 5;
    ck_assert_ptr_null(lgp_alloc(SIZE_MAX));
    ck_assert_ptr_null(lgp_alloc(SIZE_MAX - 4096));
    ck_assert_ptr_null(lgp_alloc((size_t)1 << 60));
    ck_assert_ptr_null(lgp_resize(memory, 100000, SIZE_MAX));
    ck_assert_ptr_null(lgp_resize(memory, 100000, (size_t)1 << 60));
    ck_assert_uint_eq(memory[99999], 5); /* still ours */
    lgp_free(memory, 100000);
    ck_assert_uint_eq(lgp_memory_used(), 0);
}
END_TEST

START_TEST(reset_gives_everything_back) {
    char byte;
    void *small = lgp_alloc(100), *large = lgp_alloc(100000);
    lgp_memory_reset();
    ck_assert_uint_eq(lgp_memory_used(), 0);
    ck_assert(!lgp_read_safely(&byte, small, 1));
    ck_assert(!lgp_read_safely(&byte, large, 1));
    ck_assert(all_bytes(lgp_alloc(100), 100, 0));
}
END_TEST

/* --- threads --- */

enum { THREADS = 4, SLOTS = 64, ROUNDS = 30000 };

static size_t slot_size(unsigned random) { return random % 50 == 0 ? 32769 + random % 50000 : random % 3000; }

/* Each thread marks its blocks and finds them unchanged when it frees them;
 * returns how many were not. */
static void *churn(void *seed) {
    unsigned random = (unsigned)(uintptr_t)seed;
    unsigned char *blocks[SLOTS] = {NULL}, mark = (unsigned char)(uintptr_t)seed;
    size_t block_sizes[SLOTS] = {0}, damaged = 0;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * 1664525u + 1013904223u;
        size_t slot = (random >> 8) % SLOTS;
        if (blocks[slot] != NULL)
            damaged += !all_bytes(blocks[slot], block_sizes[slot], mark);
        lgp_free(blocks[slot], block_sizes[slot]);
        block_sizes[slot] = slot_size(random >> 10);
        blocks[slot] = lgp_alloc(block_sizes[slot]);
        damaged += !all_bytes(blocks[slot], block_sizes[slot], 0);
        memset(blocks[slot], mark, block_sizes[slot]);
    }
    for (size_t slot = 0; slot < SLOTS; slot++)
        lgp_free(blocks[slot], block_sizes[slot]);
    return (void *)damaged;
}

START_TEST(threads_share_the_allocator) {
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++) {
        void *damaged;
        pthread_join(threads[i], &damaged);
        ck_assert_ptr_null(damaged);
    }
    ck_assert_uint_eq(lgp_memory_used(), 0);
}
END_TEST

static _Atomic bool stop;

static void *allocate_all_the_time(void *unused) {
    (void)unused;
    while (!stop)
        lgp_free(lgp_alloc(40), 40);
    return NULL;
}

/* Sooner or later a child inherits a held lock, and must not wait for it. */
START_TEST(a_forked_child_can_allocate) {
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, allocate_all_the_time, NULL), 0);
    for (int i = 0; i < 300; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            alarm(5);
            if (!lgp_memory_intact())
                lgp_memory_forget();
            _exit(lgp_alloc(40) != NULL ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    stop = true;
    pthread_join(thread, NULL);
}
END_TEST

static Suite *memory_suite(void) {
    Suite *suite = suite_create("platform memory");
    TCase *blocks = tcase_create("blocks");
    tcase_set_timeout(blocks, 60);
    tcase_add_test(blocks, blocks_are_zero_and_aligned);
    tcase_add_test(blocks, freed_blocks_are_reused_and_zero_again);
    tcase_add_test(blocks, blocks_do_not_overlap);
    tcase_add_test(blocks, size_classes_waste_at_most_a_quarter);
    tcase_add_test(blocks, large_blocks_go_back_to_the_kernel);
    tcase_add_test(blocks, very_large_blocks_begin_at_a_huge_page);
    tcase_add_test(blocks, very_large_blocks_are_whole);
    tcase_add_test(blocks, resizing_keeps_contents_and_zeroes_the_rest);
    tcase_add_test(blocks, resizing_nothing_allocates);
    tcase_add_test(blocks, impossible_sizes_are_refused);
    tcase_add_test(blocks, reset_gives_everything_back);
    suite_add_tcase(suite, blocks);
    TCase *threads = tcase_create("threads and processes");
    tcase_set_timeout(threads, 60);
    tcase_add_test(threads, threads_share_the_allocator);
    tcase_add_test(threads, a_forked_child_can_allocate);
    suite_add_tcase(suite, threads);
    return suite;
}

int main(void) {
    SRunner *runner = srunner_create(memory_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
