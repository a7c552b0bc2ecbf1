/* Histograms: which bucket a time belongs to, and what is said of them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "record/figures.h"
#include "record/openmetrics.h"

START_TEST(a_time_that_is_an_edge_ends_its_bucket) {
    for (unsigned i = 0; i + 1 < LGR_BUCKETS; i++) {
        uint64_t edge = UINT64_C(64) << i;
        ck_assert_uint_eq(lgr_bucket_edge(i), edge);
        ck_assert_uint_eq(lgr_bucket(edge), i);
        ck_assert_uint_eq(lgr_bucket(edge + 1), i + 1);
        ck_assert_uint_eq(lgr_bucket(edge - 1), edge - 1 > edge / 2 ? i : i - 1);
    }
}
END_TEST

START_TEST(no_time_and_the_longest_have_a_bucket) {
    ck_assert_uint_eq(lgr_bucket(0), 0);
    ck_assert_uint_eq(lgr_bucket(1), 0);
    ck_assert_uint_eq(lgr_bucket(UINT64_MAX), LGR_BUCKETS - 1);
    ck_assert_uint_eq(lgr_bucket_edge(LGR_BUCKETS - 1), UINT64_MAX);
}
END_TEST

START_TEST(times_are_summed) {
    struct lgr_times one = {0}, sum = {0};
    ck_assert_uint_eq(lgr_times_note(&one, 100), 1);
    ck_assert_uint_eq(lgr_times_note(&one, 128), 2);
    ck_assert_uint_eq(lgr_times_note(&one, 129), 1);
    lgr_times_note_shared(&sum, 1000);
    lgr_times_add(&sum, &one);
    ck_assert_uint_eq(sum.total_ns, 1357);
    ck_assert_uint_eq(sum.max_ns, 1000);
    ck_assert_uint_eq(lgr_times_count(&sum), 4);
    ck_assert_uint_eq(sum.buckets[1], 2);
    ck_assert_uint_eq(sum.buckets[2], 1);
    ck_assert_uint_eq(sum.buckets[4], 1);
}
END_TEST

START_TEST(most_waiters_are_not_added_up) {
    struct lgr_figures sum = {.contended = 1, .waiters_max = 3}, more = {.contended = 2, .waiters_max = 2};
    lgr_figures_add(&sum, &more);
    ck_assert_uint_eq(sum.contended, 3);
    ck_assert_uint_eq(sum.waiters_max, 3);
}
END_TEST

START_TEST(a_quantile_is_an_edge_or_the_longest) {
    struct lgr_times times = {0};
    ck_assert_uint_eq(lgr_times_quantile(&times, 99), 0);
    for (int i = 0; i < 99; i++)
        lgr_times_note(&times, 1000);
    ck_assert_uint_eq(lgr_times_quantile(&times, 99), 1000); /* not 1024 */
    lgr_times_note(&times, 5000000);
    ck_assert_uint_eq(lgr_times_quantile(&times, 99), 1024);
    lgr_times_note(&times, 5000000); /* now more than one in a hundred */
    ck_assert_uint_eq(lgr_times_quantile(&times, 99), 5000000);
}
END_TEST

static char said[65536];
static void put(void *to, const char *text, size_t length) {
    (void)to;
    strncat(said, text, length);
}

static void say(const struct lgr_metrics *metrics) {
    said[0] = '\0';
    lgr_openmetrics(metrics, put, NULL);
}

START_TEST(labels_are_escaped) {
    struct lgr_class_metrics class = {.name = "a\"b\\c\nd\xff\xc3\xa9\xc3", .id = "1"};
    say(&(struct lgr_metrics){.classes = &class, .class_count = 1});
    ck_assert_ptr_nonnull(strstr(said, "_contended_total{class=\"a\\\"b\\\\c\\nd?\xc3\xa9?\",id=\"1\"} 0\n"));
}
END_TEST

START_TEST(buckets_add_up_in_seconds) {
    struct lgr_class_metrics class = {.name = "m", .id = "1"};
    lgr_times_note(&class.figures.wait, 64);
    lgr_times_note(&class.figures.wait, 65);
    lgr_times_note(&class.figures.wait, UINT64_C(100000000000));
    say(&(struct lgr_metrics){.classes = &class, .class_count = 1});
    ck_assert_ptr_nonnull(strstr(said, "wait_seconds_bucket{class=\"m\",id=\"1\",le=\"0.000000064\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(said, "wait_seconds_bucket{class=\"m\",id=\"1\",le=\"0.000000128\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(said, "wait_seconds_bucket{class=\"m\",id=\"1\",le=\"68.719476736\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(said, "wait_seconds_bucket{class=\"m\",id=\"1\",le=\"+Inf\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(said, "wait_seconds_sum{class=\"m\",id=\"1\"} 100.000000129\n"));
    ck_assert_ptr_nonnull(strstr(said, "wait_seconds_count{class=\"m\",id=\"1\"} 3\n"));
    ck_assert_ptr_null(strstr(said, "hold"));
    ck_assert_str_eq(said + strlen(said) - 6, "# EOF\n");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record_figures");
    TCase *tests = tcase_create("figures");
    tcase_add_test(tests, a_time_that_is_an_edge_ends_its_bucket);
    tcase_add_test(tests, no_time_and_the_longest_have_a_bucket);
    tcase_add_test(tests, times_are_summed);
    tcase_add_test(tests, most_waiters_are_not_added_up);
    tcase_add_test(tests, a_quantile_is_an_edge_or_the_longest);
    tcase_add_test(tests, labels_are_escaped);
    tcase_add_test(tests, buckets_add_up_in_seconds);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
