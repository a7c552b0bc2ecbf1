/* The reader against files on disk, which are mapped: large ones, ones that shrink. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_support.h"
#include "record_walk.h"

static struct image image;
static char path[sizeof temporary + 16];

static void set_up(void) {
    image = image_new();
    image_add_everything(&image);
    temporary_make();
    snprintf(path, sizeof path, "%s/x.1.0.lgd", temporary);
}
static void tear_down(void) {
    temporary_remove();
    image_free(&image);
}

/* As much as may be mapped: the thread sanitizer leaves little room for more. */
#ifdef __SANITIZE_THREAD__
#define HOLES ((off_t)1 << 32)
#else
#define HOLES ((off_t)1 << 40)
#endif

/* A terabyte of holes is read as far as something was written. */
START_TEST(a_sparse_file_costs_nothing) {
    image_write(&image, path, HOLES);
    struct lgr_file *file = open_path(path);
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    size_t count;
    ck_assert_uint_eq(lgr_thread_states(file, &count)[0].serial, 1);
    ck_assert_uint_eq(count, 1);
    lgr_close(file);
}
END_TEST

enum { EDGES_A_CHUNK = LGR_CHUNK / sizeof(struct lgr_edge), LARGE_CHUNKS = 160 };

/* So many edges more, numbered by their classes, in whole chunks behind the image. */
static void write_large_file(void) {
    static struct lgr_edge chunk[EDGES_A_CHUNK + 1];
    struct lgr_record *pad = image_add(&image, LGR_PAD, LGR_CHUNK - image.size);
    ck_assert(pad && image.size == LGR_CHUNK);
    image_write(&image, path, 0);
    int descriptor = open(path, O_WRONLY | O_APPEND);
    for (uint32_t i = 0; i < LARGE_CHUNKS * EDGES_A_CHUNK; i++) {
        chunk[i % EDGES_A_CHUNK] = (struct lgr_edge){{sizeof *chunk, LGR_EDGE, 0}, .from_class = i + 1};
        if (i % EDGES_A_CHUNK != EDGES_A_CHUNK - 1)
            continue;
        chunk[EDGES_A_CHUNK].record = (struct lgr_record){LGR_CHUNK % sizeof *chunk, LGR_PAD, 0};
        ck_assert_int_eq(write(descriptor, chunk, LGR_CHUNK), LGR_CHUNK);
    }
    close(descriptor);
}

/* Pages of files that are in this process's memory. */
static long file_pages(void) {
    long pages[3] = {0};
    FILE *stream = fopen("/proc/self/statm", "r");
    ck_assert_int_eq(fscanf(stream, "%ld %ld %ld", &pages[0], &pages[1], &pages[2]), 3);
    fclose(stream);
    return pages[2];
}

/* 40 MB, of which less than half is in memory at a time, whatever is looked at. */
START_TEST(a_large_file_is_let_go) {
    char error[256];
    write_large_file();
    long before = file_pages(), most = 20000000 / sysconf(_SC_PAGESIZE);
    struct lgr_file *file = lgr_open(path, error, sizeof error);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_lt(file_pages() - before, most);
    size_t count = lgr_edge_count(file), in_order = 0;
    ck_assert_uint_eq(count, 1 + (size_t)LARGE_CHUNKS * EDGES_A_CHUNK);
    for (size_t i = 1; i < count; i++)
        in_order += lgr_edge_at(file, i)->from_class == i;
    ck_assert_uint_eq(in_order, count - 1);
    ck_assert_int_lt(file_pages() - before, most);
    lgr_close(file);
}
END_TEST

/* What others cut off while it is read does not end the reader. */
START_TEST(a_file_that_shrinks_reads_as_zeros) {
    image_write(&image, path, 0);
    struct lgr_file *file = open_path(path), *other = open_path(path);
    size_t count;
    const struct lgr_context_info *contexts = lgr_contexts(file, &count);
    ck_assert_uint_ne(lgr_edge_at(file, 0)->from_class, 0);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_uint_eq(lgr_edge_at(file, 0)->from_class, 0);
    ck_assert_uint_gt(contexts[0].frame_count, 0);
    ck_assert_uint_eq(contexts[0].frames[0].offset, 0);
    walk_file(file);
    lgr_close(file);
    walk_file(other);
    lgr_close(other);
}
END_TEST

/* Only what a file that shrinks causes is ours. */
START_TEST(a_signal_that_is_sent_is_no_file_that_shrinks) {
    image_write(&image, path, 0);
    signal(SIGBUS, SIG_DFL); /* a sanitizer has a handler of its own */
    struct lgr_file *file = open_path(path);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_DUMPABLE, 0);
        kill(getpid(), SIGBUS);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    lgr_close(file);
}
END_TEST

/* A chunk filled to its last byte needs no padding, and may be the last. */
START_TEST(a_full_chunk_may_end_the_file) {
    struct lgr_message *message = image_add(&image, LGR_MESSAGE, LGR_CHUNK - image.size);
    ck_assert_uint_eq(image.size, LGR_CHUNK);
    message->text_length = message->record.size - (uint32_t)sizeof *message;
    image_write(&image, path, 0);
    struct lgr_file *file = open_path(path);
    size_t count;
    lgr_messages(file, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record_mapped");
    TCase *tests = tcase_create("files");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_full_chunk_may_end_the_file);
    tcase_add_test(tests, a_sparse_file_costs_nothing);
    tcase_add_test(tests, a_file_that_shrinks_reads_as_zeros);
    tcase_add_test(tests, a_signal_that_is_sent_is_no_file_that_shrinks);
    tcase_add_test(tests, a_large_file_is_let_go);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
