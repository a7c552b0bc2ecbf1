/* The files of a container are looked for below its root. */
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module_file.h"
#include "record_support.h"

static struct pool pool;
static char *root, *outside;

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static char *below(const char *name) { return pool_printf(&pool, "%s/%s", root, name); }

static void link_to(const char *name, const char *target) {
    ck_assert_int_eq(symlink(target, below(name)), 0);
}

/* A root with a library, links of every kind to it, and a namesake outside. */
static void set_up(void) {
    temporary_make();
    root = pool_printf(&pool, "%s/root", temporary);
    outside = pool_printf(&pool, "%s/library", temporary);
    ck_assert_int_eq(mkdir(root, 0700), 0);
    ck_assert_int_eq(mkdir(below("usr"), 0700), 0);
    ck_assert_int_eq(mkdir(below("usr/lib"), 0700), 0);
    write_file(below("usr/lib/library"), "inside");
    write_file(outside, "outside");
    link_to("lib", "usr/lib");
    link_to("usr/absolute", "/usr/lib/library");
    link_to("chain", "/lib/../../lib/./library");
    link_to("upwards", "../library");
    link_to("usr/upwards", "../../../../lib//library");
    link_to("loop", "/loop");
    link_to("outside", outside);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void tear_down(void) {
    ck_assert_int_eq(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    ck_assert_int_eq(unlink(outside), 0);
    pool_free(&pool);
    temporary_remove();
}

static const char *content(int descriptor) {
    char text[16];
    if (descriptor < 0)
        return NULL;
    ssize_t length = read(descriptor, text, sizeof text);
    close(descriptor);
    return length < 0 ? "a directory" : pool_string_n(&pool, text, (size_t)length);
}

static const char *by_steps(const char *path) {
    return content(module_file_open_by_steps(&pool, root, path));
}

static const char *by_either(const char *path) {
    const char *found;
    struct symbol_paths paths = {.sysroot = root};
    return content(module_file_open(&pool, &paths, path, &found));
}

typedef const char *reader(const char *path);
static reader *const ways[] = {by_steps, by_either};

static const char *const inside[] = {"/usr/lib/library",
                                     "usr/lib/library",
                                     "/lib/library",
                                     "/usr/absolute",
                                     "/chain",
                                     "/usr/upwards",
                                     "//lib///library",
                                     "/../../usr/lib/library",
                                     "/usr/./lib/../lib/library"};
enum { INSIDE = sizeof inside / sizeof *inside };

START_TEST(links_stay_below_the_root) {
    for (int i = 0; i < INSIDE; i++)
        ck_assert_pstr_eq(ways[_i](inside[i]), "inside");
}
END_TEST

START_TEST(what_is_not_there_is_not_found) {
    static const char *const nowhere[] = {"/upwards", "/loop", "/outside", "/usr/library",
                                          "/lib/library/more"};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        ck_assert_pstr_eq(ways[_i](nowhere[i]), NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("command module file");
    TCase *cases = tcase_create("below a root");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, links_stay_below_the_root, 0, 2);
    tcase_add_loop_test(cases, what_is_not_there_is_not_found, 0, 2);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
