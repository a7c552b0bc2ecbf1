#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/options.h"

static struct lgp_options options;
static char buffer[LGP_OPTIONS_TEXT_SIZE];
static struct lgp_text text = {buffer, sizeof(buffer), 0};

static void clear_text(void) {
    text.length = 0;
    buffer[0] = '\0';
}

static void with_defaults(void) {
    memset(&options, 0xee, sizeof(options));
    lgp_options_defaults(&options);
    clear_text();
}

static void accept(const char *list) {
    clear_text();
    ck_assert_msg(lgp_options_parse(&options, list, &text), "%s: %s", list, buffer);
    ck_assert_str_eq(buffer, "");
}

static void refuse(const char *list, const char *sentence) {
    clear_text();
    ck_assert(!lgp_options_parse(&options, list, &text));
    ck_assert_str_eq(buffer, sentence);
}

START_TEST(the_defaults) {
    ck_assert_str_eq(options.data, "lockgraph.data");
    ck_assert_uint_eq(options.max_data, 256u << 20);
    ck_assert_uint_eq(options.max_memory, 1u << 30);
    ck_assert_int_eq(options.unwinder, LGP_UNWIND_GCC);
    ck_assert_int_eq(options.identity, LGP_IDENTITY_TAG);
    ck_assert_int_eq(options.on_deadlock, LGP_ON_DEADLOCK_LEAVE);
    ck_assert_int_eq(options.exitcode, 0);
    ck_assert(options.verdict);
    ck_assert_uint_eq(options.stack_depth, 24);
    ck_assert_uint_eq(options.search_budget, 100000);
    ck_assert_uint_eq(options.wait_slice, 2);
    ck_assert(options.file_locks);
    ck_assert_uint_eq(options.lock_timeout, 30000000000);
    ck_assert_int_eq(options.log, LGP_LOG_WARNING);
    ck_assert_str_eq(options.log_to, "stderr");
    ck_assert(!options.help);
    ck_assert(!options.launcher);
    ck_assert_str_eq(options.told, "none");
    for (size_t i = 0; i < LGP_CHECK_COUNT; i++)
        ck_assert_int_eq(options.check[i], LGP_CHECK_DEFAULT);
}
END_TEST

START_TEST(every_option_reaches_its_field) {
    accept("lock_timeout=200ms:log=debug:log_to='file:/var/tmp/log'");
    ck_assert_uint_eq(options.lock_timeout, 200000000);
    ck_assert_int_eq(options.log, LGP_LOG_DEBUG);
    ck_assert_str_eq(options.log_to, "file:/var/tmp/log");
    accept("data=/var/tmp/x y:max_data=1m:max_memory=65536:unwinder=fp:stack_depth=64:identity=table");
    accept("on_deadlock=kill:exitcode=255:verdict=0:search_budget=1:wait_slice=0:file_locks=0:help=1:"
           "launcher=1:told=/proc/1/fd/3");
    accept("check.order-cycle=off:check.deadlock=note:check.self-deadlock=error");
    ck_assert_str_eq(options.data, "/var/tmp/x y");
    ck_assert_uint_eq(options.max_data, 1u << 20);
    ck_assert_uint_eq(options.max_memory, 65536);
    ck_assert_int_eq(options.unwinder, LGP_UNWIND_FP);
    ck_assert_uint_eq(options.stack_depth, 64);
    ck_assert_int_eq(options.identity, LGP_IDENTITY_TABLE);
    ck_assert_int_eq(options.on_deadlock, LGP_ON_DEADLOCK_KILL);
    ck_assert_int_eq(options.exitcode, 255);
    ck_assert(!options.verdict);
    ck_assert_uint_eq(options.search_budget, 1);
    ck_assert_uint_eq(options.wait_slice, 0);
    ck_assert(!options.file_locks);
    ck_assert(options.help);
    ck_assert(options.launcher);
    ck_assert_str_eq(options.told, "/proc/1/fd/3");
    ck_assert_int_eq(options.check[LGP_CHECK_ORDER_CYCLE], LGP_CHECK_OFF);
    ck_assert_int_eq(options.check[LGP_CHECK_DEADLOCK], LGP_CHECK_NOTE);
    ck_assert_int_eq(options.check[LGP_CHECK_SELF_DEADLOCK], LGP_CHECK_ERROR);
}
END_TEST

START_TEST(choices_are_in_the_order_of_their_enums) {
    const struct {
        const char *list;
        enum lgp_unwinder unwinder;
    } unwinders[] = {{"unwinder=gcc", LGP_UNWIND_GCC},
                     {"unwinder=fp", LGP_UNWIND_FP},
                     {"unwinder=libunwind", LGP_UNWIND_LIBUNWIND},
                     {"unwinder=none", LGP_UNWIND_NONE}};
    for (size_t i = 0; i < 4; i++) {
        accept(unwinders[i].list);
        ck_assert_int_eq(options.unwinder, unwinders[i].unwinder);
    }
    accept("on_deadlock=abort");
    ck_assert_int_eq(options.on_deadlock, LGP_ON_DEADLOCK_ABORT);
    accept("on_deadlock=leave");
    ck_assert_int_eq(options.on_deadlock, LGP_ON_DEADLOCK_LEAVE);
    accept("identity=tag");
    ck_assert_int_eq(options.identity, LGP_IDENTITY_TAG);
    accept("check.deadlock=warning");
    ck_assert_int_eq(options.check[LGP_CHECK_DEADLOCK], LGP_CHECK_WARNING);
    accept("check.deadlock=default");
    ck_assert_int_eq(options.check[LGP_CHECK_DEADLOCK], LGP_CHECK_DEFAULT);
}
END_TEST

START_TEST(sizes_take_suffixes) {
    const struct {
        const char *list;
        uint64_t bytes;
    } sizes[] = {{"max_data=70000", 70000}, {"max_data=64k", 64 << 10}, {"max_data=64K", 64 << 10},
                 {"max_data=3m", 3 << 20},  {"max_data=3M", 3 << 20},   {"max_data=1024g", (uint64_t)1 << 40},
                 {"max_data=1G", 1 << 30}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        accept(sizes[i].list);
        ck_assert_uint_eq(options.max_data, sizes[i].bytes);
    }
}
END_TEST

START_TEST(times_take_units) {
    const struct {
        const char *value, *printed;
        double ms;
    } times[] = {{"1500us", "1500us", 1.5}, {"3000us", "3ms", 3},       {"0us", "none", 0},
                 {"1ms", "1ms", 1},         {"1500ms", "1500ms", 1500}, {"2000ms", "2s", 2000},
                 {"7", "7s", 7000},         {"90s", "90s", 90000},      {"120s", "2m", 120000},
                 {"5m", "5m", 300000},      {"24h", "24h", 86400000},   {"3600", "1h", 3600000},
                 {"none", "none", 0},       {"0", "none", 0},           {"0ms", "none", 0}};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char list[40], printed[48];
        snprintf(list, sizeof(list), "lock_timeout=%s", times[i].value);
        accept(list);
        ck_assert_uint_eq(options.lock_timeout, (uint64_t)(times[i].ms * 1000000));
        lgp_options_effective(&options, &text);
        snprintf(printed, sizeof(printed), "lock_timeout=%s", times[i].printed);
        ck_assert_str_eq(buffer, printed);
    }
}
END_TEST

START_TEST(switches_take_words) {
    const char *const on[] = {"verdict=1", "verdict=yes", "verdict=true"};
    const char *const off[] = {"verdict=0", "verdict=no", "verdict=false"};
    for (size_t i = 0; i < 3; i++) {
        accept(off[i]);
        ck_assert(!options.verdict);
        accept(on[i]);
        ck_assert(options.verdict);
    }
}
END_TEST

START_TEST(separators_and_quotation_marks) {
    accept("");
    accept(":::");
    accept(":exitcode=3::");
    ck_assert_int_eq(options.exitcode, 3);
    accept("data=\"/a:b='c'\":exitcode=4");
    ck_assert_str_eq(options.data, "/a:b='c'");
    ck_assert_int_eq(options.exitcode, 4);
    accept("data='/a:\"b\"'");
    ck_assert_str_eq(options.data, "/a:\"b\"");
    accept("data=a=b");
    ck_assert_str_eq(options.data, "a=b");
    accept("exitcode=5:exitcode=6");
    ck_assert_int_eq(options.exitcode, 6); /* the last one counts */
}
END_TEST

START_TEST(mistakes_are_told_in_one_sentence) {
    refuse("foo=1", "unknown option \"foo\" in LOCKGRAPH_OPTIONS; help=1 lists them");
    refuse("foo", "unknown option \"foo\" in LOCKGRAPH_OPTIONS; help=1 lists them");
    refuse("check.nothing=off", "unknown option \"check.nothing\" in LOCKGRAPH_OPTIONS; help=1 lists them");
    refuse("verdict", "no value for option \"verdict\" in LOCKGRAPH_OPTIONS");
    refuse("data=", "data=\"\" in LOCKGRAPH_OPTIONS is not allowed: use 1 to 4095 bytes of text");
    refuse("data=\"x", "no closing quotation mark behind the value of option \"data\" in LOCKGRAPH_OPTIONS");
    refuse("data=\"x\"y",
           "no closing quotation mark behind the value of option \"data\" in LOCKGRAPH_OPTIONS");
    refuse("unwinder=gdb",
           "unwinder=\"gdb\" in LOCKGRAPH_OPTIONS is not allowed: use gcc, fp, libunwind or none");
    refuse("identity=", "identity=\"\" in LOCKGRAPH_OPTIONS is not allowed: use tag or table");
    refuse("verdict=2", "verdict=\"2\" in LOCKGRAPH_OPTIONS is not allowed: use 0 or 1");
    refuse("check.deadlock=fatal",
           "check.deadlock=\"fatal\" in LOCKGRAPH_OPTIONS is not allowed: use default, off, "
           "note, warning or error");
}
END_TEST

static const char *const bad_numbers[] = {
    "", "-1", "+1", " 1", "1 ", "0x10", "1.5", "abc", "65", "0", "5k", "4294967297", "18446744073709551617"};
static const char *const bad_sizes[] = {"",
                                        "k",
                                        "-1m",
                                        "64kb",
                                        "1.5m",
                                        "63k",
                                        "65535",
                                        "2t",
                                        "1025g",
                                        "1 m",
                                        "mm",
                                        "18446744073709551617",
                                        "17179869184g",
                                        "17179869185g"};

static const char *const bad_times[] = {"",
                                        "s",
                                        "ms",
                                        "-1s",
                                        "1 s",
                                        "1.5s",
                                        "1S",
                                        "1d",
                                        "25h",
                                        "86401",
                                        "1ns",
                                        "1us",
                                        "1mss",
                                        "None",
                                        "30s5",
                                        "18446744073709551617ms",
                                        "99999999999999999999h",
                                        "0x1s",
                                        "5124096h"};

START_TEST(times_out_of_form_or_range) {
    char list[64], sentence[200];
    snprintf(list, sizeof(list), "lock_timeout=%s", bad_times[_i]);
    snprintf(
        sentence, sizeof(sentence),
        "lock_timeout=\"%s\" in LOCKGRAPH_OPTIONS is not allowed: use a time from 1ms to 24h, in us, ms, s, "
        "m or h, or none",
        bad_times[_i]);
    refuse(list, sentence);
    ck_assert_uint_eq(options.lock_timeout, 30000000000);
}
END_TEST

START_TEST(numbers_out_of_form_or_range) {
    char list[64], sentence[200];
    snprintf(list, sizeof(list), "stack_depth=%s", bad_numbers[_i]);
    snprintf(sentence, sizeof(sentence),
             "stack_depth=\"%s\" in LOCKGRAPH_OPTIONS is not allowed: use a whole number from 1 to 64",
             bad_numbers[_i]);
    refuse(list, sentence);
    ck_assert_uint_eq(options.stack_depth, 24);
}
END_TEST

START_TEST(sizes_out_of_form_or_range) {
    char list[64], sentence[200];
    snprintf(list, sizeof(list), "max_data=%s", bad_sizes[_i]);
    snprintf(
        sentence, sizeof(sentence),
        "max_data=\"%s\" in LOCKGRAPH_OPTIONS is not allowed: use a size from 64k to 1024g, in bytes or with "
        "k, m or g",
        bad_sizes[_i]);
    refuse(list, sentence);
    ck_assert_uint_eq(options.max_data, 256u << 20);
}
END_TEST

START_TEST(right_keys_count_beside_wrong_ones) {
    refuse("exitcode=7:foo=1:unwinder=x:stack_depth=0:max_data=1m",
           "unknown option \"foo\" in LOCKGRAPH_OPTIONS; help=1 lists them (and 2 more)");
    ck_assert_int_eq(options.exitcode, 7);
    ck_assert_uint_eq(options.max_data, 1u << 20);
    ck_assert_int_eq(options.unwinder, LGP_UNWIND_GCC);
    ck_assert_uint_eq(options.stack_depth, 24);
    ck_assert(!lgp_options_parse(&options, "foo=1", NULL));
}
END_TEST

START_TEST(longest_text_fits_and_longer_is_refused) {
    static char list[PATH_MAX + 100];
    strcpy(list, "data=");
    memset(list + 5, 'd', PATH_MAX - 1);
    accept(list);
    ck_assert_uint_eq(strlen(options.data), PATH_MAX - 1);
    strcat(list, "e:exitcode=9");
    ck_assert(!lgp_options_parse(&options, list, NULL));
    ck_assert_ptr_null(strchr(options.data, 'e'));
    ck_assert_int_eq(options.exitcode, 9);
    memset(list, 'k', PATH_MAX);
    ck_assert(!lgp_options_parse(&options, list, NULL));
}
END_TEST

/* --- what is printed --- */

static void check_effective(const char *list) {
    with_defaults();
    accept(list);
    clear_text();
    lgp_options_effective(&options, &text);
    ck_assert_str_eq(buffer, list);
}

START_TEST(effective_options_are_those_that_differ) {
    check_effective("");
    check_effective("exitcode=3");
    check_effective("data=\"/a:b\":max_data=3m:unwinder=none:verdict=0:launcher=1");
    check_effective("max_data=65537:max_memory=64k:check.self-deadlock=off");
    check_effective("data='\"quoted:'");
    with_defaults();
    accept("data=lockgraph.data:exitcode=0");
    clear_text();
    lgp_options_effective(&options, &text);
    ck_assert_str_eq(buffer, "");
}
END_TEST

/* A value of each option that is not its default. */
static void other_value(const struct lgp_option *option, char *value, size_t size) {
    switch (option->type) {
    case LGP_OPTION_CHOICE:
        snprintf(value, size, "%s",
                 option->choices[strcmp(option->choices[1], option->default_value) == 0 ? 0 : 1]);
        break;
    case LGP_OPTION_SWITCH:
        snprintf(value, size, "%s", option->default_value[0] == '1' ? "0" : "1");
        break;
    case LGP_OPTION_TEXT:
        snprintf(value, size, "another");
        break;
    case LGP_OPTION_TIME:
        snprintf(value, size, "5m");
        break;
    default:
        snprintf(value, size, "%lu", (unsigned long)option->maximum);
    }
}

START_TEST(every_row_of_the_table_round_trips) {
    const struct lgp_option *option = &lgp_option_table[_i];
    struct lgp_options again;
    char list[128], value[64];
    other_value(option, value, sizeof(value));
    snprintf(list, sizeof(list), "%s=%s", option->name, value);
    accept(list);
    lgp_options_effective(&options, &text);
    ck_assert_msg(strncmp(buffer, list, strlen(option->name) + 1) == 0, "%s printed as %s", list, buffer);
    ck_assert_ptr_null(strchr(buffer, ':'));
    lgp_options_defaults(&again);
    ck_assert(lgp_options_parse(&again, buffer, NULL));
    ck_assert_mem_eq(&again, &options, sizeof(options));
    snprintf(list, sizeof(list), "%s=%s", option->name, option->default_value);
    accept(list);
    lgp_options_effective(&options, &text);
    ck_assert_str_eq(buffer, "");
}
END_TEST

START_TEST(help_names_every_option_once) {
    accept("data=elsewhere");
    lgp_options_help(&options, &text);
    ck_assert_uint_lt(text.length, sizeof(buffer) - 2 * (size_t)PATH_MAX);
    ck_assert_ptr_nonnull(strstr(buffer, "  data=elsewhere\n"));
    for (size_t i = 0; i < lgp_option_count; i++) {
        const struct lgp_option *option = &lgp_option_table[i];
        char line[80];
        snprintf(line, sizeof(line), "  %s=", option->name);
        const char *found = strstr(buffer, line);
        ck_assert_int_eq(found == NULL, option->internal);
        if (found != NULL)
            ck_assert_ptr_null(strstr(found + 1, line));
        ck_assert_int_eq(strstr(buffer, option->help) == NULL, option->internal);
    }
}
END_TEST

START_TEST(table_rows_are_complete) {
    for (size_t i = 0; i < lgp_option_count; i++) {
        const struct lgp_option *option = &lgp_option_table[i];
        ck_assert_ptr_eq(lgp_option_find(option->name), option);
        ck_assert_int_eq(option->choices != NULL, option->type == LGP_OPTION_CHOICE);
        ck_assert_int_ne(option->help[strlen(option->help) - 1], '.');
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(option->offset, lgp_option_table[j].offset);
    }
    ck_assert_ptr_null(lgp_option_find("nothing"));
    ck_assert_str_eq(lgp_check_name(LGP_CHECK_ORDER_CYCLE), "order-cycle");
    ck_assert_str_eq(lgp_check_name(LGP_CHECK_SELF_DEADLOCK), "self-deadlock");
}
END_TEST

/* --- the program's own defaults and the environment --- */

static const char *program_options;

const char *lg_default_options(void);
const char *lg_default_options(void) { return program_options; }

START_TEST(the_environment_wins_over_the_program) {
    program_options = "exitcode=3:stack_depth=5";
    setenv("LOCKGRAPH_OPTIONS", "exitcode=4", 1);
    ck_assert(lgp_options_load(&options, &text));
    ck_assert_int_eq(options.exitcode, 4);
    ck_assert_uint_eq(options.stack_depth, 5);
    ck_assert_str_eq(buffer, "");
}
END_TEST

START_TEST(loading_starts_from_the_defaults) {
    unsetenv("LOCKGRAPH_OPTIONS");
    options.stack_depth = 9;
    ck_assert(lgp_options_load(&options, &text));
    ck_assert_uint_eq(options.stack_depth, 24);
}
END_TEST

START_TEST(mistakes_name_where_they_are) {
    program_options = "foo=1:stack_depth=5";
    setenv("LOCKGRAPH_OPTIONS", "exitcode=4", 1);
    ck_assert(!lgp_options_load(&options, &text));
    ck_assert_str_eq(buffer, "unknown option \"foo\" in lg_default_options(); help=1 lists them");
    ck_assert_int_eq(options.exitcode, 4);
    ck_assert_uint_eq(options.stack_depth, 5);
    program_options = NULL;
    setenv("LOCKGRAPH_OPTIONS", "bar=4", 1);
    clear_text();
    ck_assert(!lgp_options_load(&options, &text));
    ck_assert_str_eq(buffer, "unknown option \"bar\" in LOCKGRAPH_OPTIONS; help=1 lists them");
}
END_TEST

static Suite *options_suite(void) {
    Suite *suite = suite_create("platform options");
    TCase *parsing = tcase_create("parsing");
    tcase_add_checked_fixture(parsing, with_defaults, NULL);
    tcase_add_test(parsing, the_defaults);
    tcase_add_test(parsing, every_option_reaches_its_field);
    tcase_add_test(parsing, choices_are_in_the_order_of_their_enums);
    tcase_add_test(parsing, sizes_take_suffixes);
    tcase_add_test(parsing, times_take_units);
    tcase_add_test(parsing, switches_take_words);
    tcase_add_test(parsing, separators_and_quotation_marks);
    tcase_add_test(parsing, mistakes_are_told_in_one_sentence);
    tcase_add_loop_test(parsing, numbers_out_of_form_or_range, 0,
                        sizeof(bad_numbers) / sizeof(bad_numbers[0]));
    tcase_add_loop_test(parsing, times_out_of_form_or_range, 0, sizeof(bad_times) / sizeof(bad_times[0]));
    tcase_add_loop_test(parsing, sizes_out_of_form_or_range, 0, sizeof(bad_sizes) / sizeof(bad_sizes[0]));
    tcase_add_test(parsing, right_keys_count_beside_wrong_ones);
    tcase_add_test(parsing, longest_text_fits_and_longer_is_refused);
    suite_add_tcase(suite, parsing);
    TCase *printing = tcase_create("printing");
    tcase_add_checked_fixture(printing, with_defaults, NULL);
    tcase_add_test(printing, effective_options_are_those_that_differ);
    tcase_add_loop_test(printing, every_row_of_the_table_round_trips, 0, (int)lgp_option_count);
    tcase_add_test(printing, help_names_every_option_once);
    tcase_add_test(printing, table_rows_are_complete);
    suite_add_tcase(suite, printing);
    TCase *loading = tcase_create("loading");
    tcase_add_checked_fixture(loading, with_defaults, NULL);
    tcase_add_test(loading, the_environment_wins_over_the_program);
    tcase_add_test(loading, loading_starts_from_the_defaults);
    tcase_add_test(loading, mistakes_name_where_they_are);
    suite_add_tcase(suite, loading);
    return suite;
}

int main(void) {
    SRunner *runner = srunner_create(options_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
