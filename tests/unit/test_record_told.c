/* The page that runtime and launcher share; told.c keeps it for good, so each test runs
 * in a process of its own. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/format.h"
#include "record/handed_over.h"
#include "record/told.h"

static char option[LGR_TOLD_TEXT];

static void name(int descriptor, const char *key) {
    snprintf(option, sizeof option, "/proc/%d/fd/%d/%s", (int)getpid(), descriptor, key);
}

static struct lgr_told *page(int seals) {
    int descriptor = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(descriptor, LGR_TOLD_SIZE), 0);
    if (seals != 0)
        ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, seals), 0);
    struct lgr_told *told = mmap(NULL, LGR_TOLD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    told->key = 0xfedcba9876543210;
    name(descriptor, "fedcba9876543210");
    return told;
}

START_TEST(what_is_told_arrives) {
    const struct lgr_told *told = page(LGR_TOLD_SEALS);
    lgr_told_open(option);
    lgr_told_loaded();
    lgr_told_unrecorded();
    lgr_told_unwritten(LGR_ERROR);
    lgr_told_unwritten(LGR_NOTE);
    ck_assert_uint_eq(told->loaded, 1);
    ck_assert_uint_eq(told->unrecorded, 1);
    ck_assert_uint_eq(told->unwritten, 2);
    ck_assert_uint_eq(told->worst, LGR_ERROR);
}
END_TEST

START_TEST(the_key_is_known_where_the_page_is_not) {
    ck_assert_uint_eq(lgr_handed_key("/proc/1/fd/999/fedcba9876543210"), 0xfedcba9876543210);
    ck_assert_uint_eq(lgr_handed_key("none"), 0);
    ck_assert_uint_eq(lgr_handed_key("/proc/1/fd/999/nonsense"), 0);
}
END_TEST

START_TEST(another_key_is_another_launcher) {
    struct lgr_told *told = page(LGR_TOLD_SEALS);
    told->key++;
    lgr_told_open(option);
    lgr_told_loaded();
    ck_assert_uint_eq(told->loaded, 0);
}
END_TEST

START_TEST(a_file_that_could_shrink_is_left_alone) {
    const struct lgr_told *told = page(F_SEAL_GROW);
    lgr_told_open(option);
    lgr_told_loaded();
    ck_assert_uint_eq(told->loaded, 0);
}
END_TEST

/* The launcher is gone, and its numbers are another's. */
START_TEST(a_file_of_somebody_else_is_left_alone) {
    char file[] = "/tmp/lockgraph-test-XXXXXX", contents[16] = "";
    int descriptor = mkstemp(file);
    unlink(file);
    ck_assert_int_eq(write(descriptor, "0123456789abcdef", 16), 16);
    name(descriptor, "3736353433323130");
    lgr_told_open(option);
    lgr_told_loaded();
    lgr_told_unwritten(LGR_ERROR);
    ck_assert_int_eq(pread(descriptor, contents, 16, 0), 16);
    ck_assert_mem_eq(contents, "0123456789abcdef", 16);
}
END_TEST

START_TEST(other_texts_are_none) {
    static const char *const texts[] = {"none", "", "/", "/proc", "/proc/1/fd/0/", "/proc/1/fd/0/xyz",
                                        "/x/1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        lgr_told_open(texts[i]);
    char longer[200];
    memset(longer, '/', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    lgr_told_open(longer);
    lgr_told_loaded();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record told");
    TCase *cases = tcase_create("told");
    tcase_add_test(cases, what_is_told_arrives);
    tcase_add_test(cases, the_key_is_known_where_the_page_is_not);
    tcase_add_test(cases, another_key_is_another_launcher);
    tcase_add_test(cases, a_file_that_could_shrink_is_left_alone);
    tcase_add_test(cases, a_file_of_somebody_else_is_left_alone);
    tcase_add_test(cases, other_texts_are_none);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
