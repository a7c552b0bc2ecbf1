#include <check.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/safe_read.h"

/* Both ways answer the same contract. */
typedef bool read_function(void *to, const void *address, size_t size);
static read_function *const ways[] = {lgp_read_safely, lgp_read_by_pipe};
enum { WAYS = 2 };

START_TEST(what_is_there_is_copied) {
    char from[PIPE_BUF], to[PIPE_BUF];
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (char)(i * 7);
    static const size_t sizes[] = {1, 8, 40, PIPE_BUF};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(to, 0, sizeof to);
        ck_assert(ways[_i](to, from, sizes[i]));
        ck_assert_mem_eq(to, from, sizes[i]);
    }
}
END_TEST

START_TEST(unreadable_memory_is_told_without_a_fault) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    read_function *read_safely = ways[_i];
    char copy[32];
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(pages + page - 16, "0123456789abcdef", 16);
    mprotect(pages + page, page, PROT_NONE);
    ck_assert(read_safely(copy, pages + page - 16, 16));
    ck_assert_mem_eq(copy, "0123456789abcdef", 16);
    ck_assert(!read_safely(copy, pages + page - 16, 17));
    ck_assert(!read_safely(copy, pages + page, 1));
    munmap(pages, 2 * page);
    ck_assert(!read_safely(copy, pages, 1));
    ck_assert(!read_safely(copy, NULL, 1));
    ck_assert(!read_safely(copy, (void *)UINTPTR_MAX, 1));
}
END_TEST

START_TEST(no_descriptor_is_left_open) {
    char from = 'x', to;
    int lowest = dup(0);
    close(lowest);
    for (int i = 0; i < 10; i++) {
        ck_assert(ways[_i](&to, &from, 1));
        ck_assert(!ways[_i](&to, NULL, 1));
    }
    int again = dup(0);
    ck_assert_int_eq(again, lowest);
    close(again);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("platform safe_read");
    TCase *reading = tcase_create("reading");
    tcase_add_loop_test(reading, what_is_there_is_copied, 0, WAYS);
    tcase_add_loop_test(reading, unreadable_memory_is_told_without_a_fault, 0, WAYS);
    tcase_add_loop_test(reading, no_descriptor_is_left_open, 0, WAYS);
    suite_add_tcase(suite, reading);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
