/* lg_log_to: log lines for a callback of the program, and names of levels in them. */
#include <check.h>
#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lockgraph/lockgraph.h>
#include <lockgraph/options.h>

enum { LEVEL_TABLE = 10, LEVEL_ROW = 20, FOREVER_S = 60 };

const char *lg_default_options(void) {
    return "verdict=0:log=debug:lock_timeout=100ms:log_to='" WRAPPER_DATA ".log':data=" WRAPPER_DATA;
}

static lg_mutex_t table = LG_MUTEX_INITIALIZER("table", LEVEL_TABLE);
static lg_mutex_t row = LG_MUTEX_INITIALIZER("row", LEVEL_ROW);
static pthread_mutex_t of_the_callback = PTHREAD_MUTEX_INITIALIZER;

enum { LINES = 64, LENGTH = 512 };
static struct {
    char text[LENGTH];
    enum lg_log_level level;
    pthread_t thread;
} lines[LINES];
static unsigned line_count;

/* Check has a lock of its own, of which there are lines, too. */
static bool is_ours(const char *line) {
    return strstr(line, ": table lock ") != NULL || strstr(line, ": row lock ") != NULL;
}

static void keep(enum lg_log_level level, const char *line, void *user) {
    if (!is_ours(line))
        return;
    pthread_mutex_lock(&of_the_callback); /* may take locks, which are no lines of their own */
    if (line_count < LINES) {
        snprintf(lines[line_count].text, LENGTH, "%s", line);
        lines[line_count].level = level;
        lines[line_count++].thread = pthread_self();
    }
    *(unsigned *)user += 1;
    pthread_mutex_unlock(&of_the_callback);
    errno = 99;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static long size_of_log(void) {
    FILE *file = fopen(WRAPPER_DATA ".log", "r");
    if (file == NULL)
        return 0;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

/* ---- the callback ---- */

START_TEST(every_line_in_its_order) {
    static const char *const events[] = {"*: acquiring", "*: acquired after [0-9]* ms",
                                         "*: released after [0-9]* ms"};
    unsigned count = 0;
    lg_log_to(keep, &count);
    errno = 7;
    ck_assert_int_eq(lg_mutex_lock(&table), 0);
    ck_assert_int_eq(lg_mutex_unlock(&table), 0);
    ck_assert_int_eq(errno, 7);
    ck_assert_uint_eq(count, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(lines[i].level, LG_LOG_DEBUG);
        ck_assert_msg(fnmatch(events[i], lines[i].text, 0) == 0, "%s", lines[i].text);
        ck_assert_ptr_nonnull(strstr(lines[i].text, "DEBUG lockgraph["));
        ck_assert(pthread_equal(lines[i].thread, pthread_self()));
    }
}
END_TEST

START_TEST(nowhere_else_and_back_again) {
    unsigned count = 0;
    ck_assert_int_eq(lg_mutex_lock(&table), 0);
    lg_log_to(keep, &count);
    long before = size_of_log();
    ck_assert_int_gt(before, 0);
    ck_assert_int_eq(lg_mutex_unlock(&table), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(size_of_log(), before);
    lg_log_to(NULL, NULL);
    ck_assert_int_eq(lg_mutex_lock(&table), 0);
    ck_assert_int_eq(lg_mutex_unlock(&table), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_gt(size_of_log(), before);
}
END_TEST

START_TEST(warnings_have_their_level) {
    unsigned count = 0;
    ck_assert_int_eq(lg_mutex_lock(&table), 0);
    ck_assert_int_eq(lg_mutex_unlock(&table), 0);
    lg_log_to(keep, &count);
    ck_assert_int_eq(lg_mutex_unlock(&table), EPERM);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(lines[0].level, LG_LOG_WARNING);
    ck_assert_msg(ends_with(lines[0].text, ": release of a lock that is not held"), "%s", lines[0].text);
}
END_TEST

static unsigned while_waiting;
static void *wait_for_table(void *result) {
    *(int *)result = lg_mutex_timedlock(&table, 1000);
    return NULL;
}
static void count_timeouts(enum lg_log_level level, const char *line, void *user) {
    (void)user;
    if (level == LG_LOG_WARNING && strstr(line, ": timeout after ") != NULL)
        __atomic_fetch_add(&while_waiting, 1, __ATOMIC_RELAXED);
}

START_TEST(a_wait_is_told_while_it_lasts) {
    pthread_t thread;
    int result = 0;
    struct timespec step = {0, 10000000};
    lg_log_to(count_timeouts, NULL);
    ck_assert_int_eq(lg_mutex_lock(&table), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_table, &result), 0);
    for (int i = 0; i < 90 && __atomic_load_n(&while_waiting, __ATOMIC_RELAXED) == 0; i++)
        nanosleep(&step, NULL);
    unsigned told = __atomic_load_n(&while_waiting, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    ck_assert_int_eq(lg_mutex_unlock(&table), 0);
    ck_assert_int_eq(result, ETIMEDOUT);
    ck_assert_uint_ge(told, 1);
}
END_TEST

static void lock_inside(enum lg_log_level level, const char *line, void *user) {
    bool right = lg_mutex_lock(&row) == 0 && lg_mutex_unlock(&row) == 0 && lg_levels_name(NULL, 0) == EBUSY;
    (void)level;
    if (is_ours(line) || !right)
        *(unsigned *)user += right ? 1 : 1000;
}

START_TEST(calls_in_the_callback_are_not_watched) {
    unsigned count = 0;
    lg_log_to(lock_inside, &count);
    ck_assert_int_eq(lg_mutex_lock(&table), 0);
    ck_assert_int_eq(lg_mutex_unlock(&table), 0);
    ck_assert_uint_eq(count, 3);
}
END_TEST

static unsigned heard, heard_in_handler;
static void give_unheld(int number) {
    (void)number;
    lg_mutex_unlock(&row);
    heard_in_handler = heard;
}

START_TEST(handlers_are_heard_of_when_they_are_over) {
    struct sigaction action = {.sa_handler = give_unheld};
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    lg_log_to(keep, &heard);
    raise(SIGUSR1);
    ck_assert_uint_eq(heard_in_handler, 0);
    ck_assert_int_eq(lg_mutex_lock(&table), 0);
    ck_assert_int_eq(lg_mutex_unlock(&table), 0);
    ck_assert_uint_ge(heard, 3);
}
END_TEST

/* ---- names of levels ---- */

static const char *line_of(lg_mutex_t *mutex) {
    static unsigned count;
    line_count = 0;
    lg_log_to(keep, &count);
    ck_assert_int_eq(lg_mutex_lock(mutex), 0);
    ck_assert_int_eq(lg_mutex_unlock(mutex), 0);
    ck_assert_uint_gt(line_count, 0);
    return lines[0].text;
}

START_TEST(levels_have_their_names_in_lines) {
    char passing[] = "rows";
    const struct lg_level_name names[] = {{LEVEL_ROW, passing}};
    ck_assert_ptr_nonnull(strstr(line_of(&row), "(level 20): "));
    ck_assert_int_eq(lg_levels_name(names, 1), 0);
    memset(passing, 'x', sizeof passing - 1); /* the name was copied */
    ck_assert_ptr_nonnull(strstr(line_of(&row), "(level 20 (rows)): "));
    ck_assert_ptr_nonnull(strstr(line_of(&table), "(level 10): "));
}
END_TEST

START_TEST(the_last_name_counts) {
    static const struct lg_level_name names[] = {
        {LEVEL_ROW, "one"}, {LEVEL_TABLE, "tables"}, {LEVEL_ROW, "two"}};
    ck_assert_int_eq(lg_levels_name(names, 3), 0);
    ck_assert_ptr_nonnull(strstr(line_of(&row), "(level 20 (two)): "));
    ck_assert_int_eq(lg_levels_name(names, 1), 0);
    ck_assert_ptr_nonnull(strstr(line_of(&row), "(level 20 (one)): "));
    ck_assert_ptr_nonnull(strstr(line_of(&table), "(level 10 (tables)): "));
}
END_TEST

START_TEST(wrong_names_change_nothing) {
    static const struct lg_level_name wrong[] = {{LEVEL_ROW, "x"}, {0, "none"},       {-1, "below"},
                                                 {32768, "above"}, {LEVEL_ROW, NULL}, {LEVEL_ROW, ""}};
    for (unsigned i = 1; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct lg_level_name pair[] = {wrong[0], wrong[i]};
        ck_assert_int_eq(lg_levels_name(pair, 2), EINVAL);
    }
    ck_assert_int_eq(lg_levels_name(NULL, 1), EINVAL);
    ck_assert_int_eq(lg_levels_name(NULL, 0), 0);
    ck_assert_ptr_nonnull(strstr(line_of(&row), "(level 20): "));
    static const struct lg_level_name last[] = {{32767, "last"}};
    ck_assert_int_eq(lg_levels_name(last, 1), 0);
}
END_TEST

/* ---- what a thread holds ---- */

static void keep_holds(enum lg_log_level level, const char *line, void *user) {
    bool about_holds = strstr(line, " holds ") != NULL || strstr(line, ": held") != NULL;
    if (about_holds)
        *(unsigned *)user += level == LG_LOG_INFO;
    if (about_holds && line_count < LINES)
        snprintf(lines[line_count++].text, LENGTH, "%s", line);
}

START_TEST(a_dump_goes_where_lines_go) {
    lg_mutex_t *const both[] = {&row, &table};
    unsigned count = 0;
    ck_assert_int_eq(lg_lock_all(both, 2), 0);
    long before = size_of_log();
    lg_log_to(keep_holds, &count);
    lg_held_dump();
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(line_count, 3);
    ck_assert_int_eq(size_of_log(), before);
    ck_assert_msg(ends_with(lines[0].text, ": this thread holds 2 locks"), "%s", lines[0].text);
    ck_assert_msg(strstr(lines[1].text, ": row lock 0x") != NULL, "the newest is not first: %s",
                  lines[1].text);
    ck_assert_ptr_nonnull(strstr(lines[1].text, "(level 20): held, taken at main program+"));
    ck_assert_ptr_nonnull(strstr(lines[2].text, ": table lock 0x"));
    lg_log_to(NULL, NULL);
    lg_held_dump();
    ck_assert_uint_eq(count, 3);
    ck_assert_int_gt(size_of_log(), before);
    lg_unlock_all(both, 2);
}
END_TEST

/* More lines than are let through of what nobody asked for, and none of them is left out. */
START_TEST(a_dump_is_whole) {
    enum { HOLDS = 60 };
    static lg_mutex_t held[HOLDS];
    unsigned count = 0;
    for (int i = 0; i < HOLDS; i++) {
        ck_assert_int_eq(lg_mutex_init(&held[i], "held", LG_NO_LEVEL), 0);
        ck_assert_int_eq(lg_mutex_lock(&held[i]), 0);
    }
    lg_log_to(keep_holds, &count);
    lg_held_dump();
    lg_log_to(NULL, NULL);
    ck_assert_uint_eq(count, HOLDS + 1);
    for (int i = 0; i < HOLDS; i++)
        ck_assert_int_eq(lg_mutex_unlock(&held[i]), 0);
}
END_TEST

int main(void) {
    if (freopen("/dev/null", "w", stderr) == NULL)
        return EXIT_FAILURE;
    Suite *suite = suite_create("wrapper_log");
    TCase *tests = tcase_create("lines");
    tcase_set_timeout(tests, FOREVER_S);
    tcase_add_test(tests, every_line_in_its_order);
    tcase_add_test(tests, nowhere_else_and_back_again);
    tcase_add_test(tests, warnings_have_their_level);
    tcase_add_test(tests, a_wait_is_told_while_it_lasts);
    tcase_add_test(tests, calls_in_the_callback_are_not_watched);
    tcase_add_test(tests, handlers_are_heard_of_when_they_are_over);
    tcase_add_test(tests, levels_have_their_names_in_lines);
    tcase_add_test(tests, the_last_name_counts);
    tcase_add_test(tests, wrong_names_change_nothing);
    tcase_add_test(tests, a_dump_goes_where_lines_go);
    tcase_add_test(tests, a_dump_is_whole);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
