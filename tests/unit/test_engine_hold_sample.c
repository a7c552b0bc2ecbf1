/* Which holds are timed, and what stands for the others; by a clock of the tests' own. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/hold_sample.h"
#include "engine_support.h"
#include "platform/system.h"

enum { SECOND = 1000000000, MILLISECOND = 1000000, STEP = 4 * MILLISECOND };

/* ---- the clock ---- */

static uint64_t now_ns, jiffy_ns;
static uint64_t words[2]; /* what the kernel's page says */
static bool stands;       /* the jiffies do */

static int fake_clock(clockid_t clock, struct timespec *at) {
    uint64_t ns = clock == CLOCK_MONOTONIC_COARSE ? jiffy_ns : now_ns;
    *at = (struct timespec){.tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND)};
    return 0;
}

static void pass(uint64_t ns) {
    now_ns += ns;
    if (stands)
        return;
    jiffy_ns = now_ns - now_ns % STEP;
    words[0] = jiffy_ns / SECOND;
    words[1] = jiffy_ns % SECOND;
}

static struct lge_class_times times;

static void set_up(void) {
    lgp_clock_start(fake_clock);
    lgp_jiffies = (struct lgp_jiffies){words, STEP};
    times = (struct lge_class_times){.class_id = 1};
    stands = false;
    now_ns = (uint64_t)4711 * SECOND;
    pass(MILLISECOND);
}
static void tear_down(void) {
    static const uint64_t none[2];
    lgp_clock_start(NULL);
    lgp_jiffies.words = none;
}

/* ---- holds ---- */

static void end(const struct lge_held *held) {
    uint64_t more;
    if (!lge_sample_passes(&times, held))
        lge_sample_ends(&times, held, &more);
}

static void begin(struct lge_held *held) {
    if (!lge_sample_begins(&times, held))
        lge_sample_begins_timed(&times, held);
}

/* Of the hold that took so long: whether it was timed. */
static bool hold(uint64_t ns) {
    struct lge_held held = {0};
    begin(&held);
    pass(ns);
    end(&held);
    return (held.marks & LGE_SINCE_TICKS) != 0;
}
static void holds(unsigned count, uint64_t ns) {
    for (; count != 0; count--) {
        hold(ns);
        pass(30);
    }
}
/* So that the next one is not timed. */
static void heat(void) {
    do
        holds(1, 20);
    while (times.untimed >= times.gap);
}

static uint64_t count(void) { return lgr_times_count(&times.hold); }
static uint64_t longer_than(uint64_t ns) {
    uint64_t found = 0;
    for (unsigned i = lgr_bucket(ns) + 1; i < LGR_BUCKETS; i++)
        found += times.hold.buckets[i];
    return found;
}
static void within(uint64_t value, uint64_t expected, double share) {
    ck_assert_double_eq_tol((double)value, (double)expected, (double)expected * share);
}

START_TEST(without_jiffies_all_are_timed) {
    lgp_jiffies.words = (const uint64_t[2]){0, 0};
    holds(10000, 20);
    ck_assert_uint_eq(count(), 10000);
    ck_assert_uint_eq(times.hold.total_ns, 200000);
    ck_assert_uint_eq(times.untimed + times.estimated, 0);
}
END_TEST

START_TEST(a_few_in_each_jiffy_are_all_timed) {
    for (int i = 0; i < 1000; i++)
        holds(10, 400000 / 10);
    ck_assert_uint_eq(count(), 10000);
    ck_assert_uint_eq(times.estimated, 0);
}
END_TEST

START_TEST(of_many_one_in_sixteen_is_timed_and_all_are_counted) {
    unsigned timed = 0, all = 1000000;
    for (unsigned i = 0; i < all; i++) {
        timed += hold(20);
        pass(30);
    }
    within(timed, all / LGE_HOLDS_A_SAMPLE, 0.08); /* 13 jiffies with 256 each among them */
    lge_sample_settle(&times);
    ck_assert_uint_eq(count(), all);
    ck_assert_uint_eq(times.hold.total_ns, (uint64_t)all * 20);
    ck_assert_uint_eq(times.estimated, all - timed);
}
END_TEST

START_TEST(a_pattern_is_not_mistaken_for_one_of_its_parts) {
    unsigned all = 600000, period = (unsigned)_i;
    for (unsigned i = 0; i < all; i++) {
        hold(i % period == 0 ? 1000 : 20);
        pass(30);
    }
    lge_sample_settle(&times);
    ck_assert_uint_eq(count(), all);
    within(times.hold.buckets[lgr_bucket(1000)], all / period, 0.04);
    within(times.hold.total_ns, (uint64_t)all / period * (1000 + 20 * (period - 1)), 0.04);
}
END_TEST

START_TEST(the_long_one_among_a_million_is_noted) {
    heat();
    holds(500000, 20);
    heat();
    ck_assert(!hold(200 * MILLISECOND));
    holds(500000, 20);
    lge_sample_settle(&times);
    ck_assert_uint_eq(longer_than(100 * MILLISECOND), 1);
    within(times.hold.max_ns, 200 * MILLISECOND, 0.01);
    within(times.hold.total_ns, 200 * MILLISECOND + (count() - 1) * 20, 0.01);
}
END_TEST

START_TEST(every_hold_of_two_jiffies_is_noted_by_itself) {
    enum { LONG = 200 };
    for (unsigned i = 0; i < LONG; i++) {
        heat();
        hold(2 * STEP + i % 7 * MILLISECOND / 2);
    }
    ck_assert_uint_eq(longer_than(STEP), LONG);
}
END_TEST

/* The processor is taken away at a tick and comes back at the next: all that begins just
 * before one tick and ends just after a later one. */
START_TEST(a_hold_that_a_whole_jiffy_passed_in_is_noted_by_itself) {
    enum { LONG = 400, NEAR = 30000 };
    uint64_t lasted = 0;
    for (unsigned i = 0; i < LONG; i++) {
        pass(STEP - now_ns % STEP - 2 * NEAR);
        heat();
        holds(engine_random(2 * LGE_HOLDS_A_SAMPLE), 20); /* timed, or not */
        uint64_t ns = STEP - now_ns % STEP + STEP + NEAR;
        lasted += ns;
        hold(ns);
        pass(MILLISECOND);
    }
    lge_sample_settle(&times);
    ck_assert_uint_eq(longer_than(STEP / 2), LONG);
    within(times.hold.total_ns, lasted + (count() - LONG) * 20, 0.001);
}
END_TEST

START_TEST(what_is_shorter_than_a_jiffy_is_right_on_average) {
    enum { COUNT = 10000 };
    uint64_t ms = (uint64_t)_i;
    for (unsigned i = 0; i < COUNT; i++) {
        pass(MILLISECOND / 10 * engine_random(40)); /* anywhere in a jiffy */
        holds(LGE_HOLDS_TIMED + engine_random(100), 20);
        hold(ms * MILLISECOND);
    }
    lge_sample_settle(&times);
    within(longer_than(MILLISECOND / 2), COUNT, 0.12);
    within(times.hold.total_ns, COUNT * ms * MILLISECOND, 0.12);
}
END_TEST

START_TEST(after_a_long_one_all_are_timed_again) {
    heat();
    hold(10 * MILLISECOND);
    for (unsigned i = 0; i < LGE_HOLDS_TIMED - 1; i++)
        ck_assert(hold(20));
}
END_TEST

START_TEST(a_short_one_that_meets_the_next_jiffy_is_a_short_one) {
    for (int i = 0; i < 100; i++) {
        heat();
        pass(STEP - now_ns % STEP - 10);
        holds(1, 20);
    }
    lge_sample_settle(&times);
    ck_assert_uint_le(times.hold.max_ns, 20);
}
END_TEST

START_TEST(a_long_one_around_others_of_its_class_is_noted) {
    struct lge_held outer = {0};
    heat();
    begin(&outer);
    ck_assert((outer.marks & LGE_SINCE_TICKS) == 0);
    holds(1000000, 20);
    end(&outer);
    ck_assert_uint_eq(longer_than(20 * MILLISECOND), 1);
    within(times.hold.max_ns, 50 * MILLISECOND, 0.09);
}
END_TEST

START_TEST(jiffies_that_stand_still_are_not_believed) {
    heat();
    stands = true;
    hold(150 * MILLISECOND);
    holds(LGE_HOLDS_A_SAMPLE * 2, 20);
    ck_assert(hold(20));
    ck_assert(hold(20));
}
END_TEST

/* Another layout, a namespace: what was found there is not the clock. */
START_TEST(words_that_are_not_the_clock_are_not_believed) {
    heat();
    words[0] = 1;
    hold(20);
    ck_assert_uint_eq(lgp_jiffy(), 0);
    pass(STEP);
    for (int i = 0; i < 1000; i++)
        ck_assert(hold(20));
}
END_TEST

START_TEST(a_hold_that_a_forked_child_inherits_is_noted) {
    struct lge_held held = {0};
    heat();
    begin(&held);
    times = (struct lge_class_times){.class_id = 1};
    pass(50 * MILLISECOND);
    end(&held);
    ck_assert_uint_eq(count(), 1);
    within(times.hold.max_ns, 52 * MILLISECOND, 0.06);
}
END_TEST

/* In a time namespace: its monotonic clock is another one. */
START_TEST(a_hold_of_before_another_clock_is_not_noted) {
    struct lge_held held = {0};
    heat();
    begin(&held);
    times = (struct lge_class_times){.class_id = 1};
    pass(UINT64_C(86400) * SECOND);
    words[0] = 86400;
    words[1] = 0;
    end(&held);
    ck_assert_uint_eq(count(), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine hold_sample");
    TCase *cases = tcase_create("holds");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, without_jiffies_all_are_timed);
    tcase_add_test(cases, a_few_in_each_jiffy_are_all_timed);
    tcase_add_test(cases, of_many_one_in_sixteen_is_timed_and_all_are_counted);
    tcase_add_loop_test(cases, a_pattern_is_not_mistaken_for_one_of_its_parts, 2, 18);
    tcase_add_test(cases, the_long_one_among_a_million_is_noted);
    tcase_add_test(cases, every_hold_of_two_jiffies_is_noted_by_itself);
    tcase_add_test(cases, a_hold_that_a_whole_jiffy_passed_in_is_noted_by_itself);
    tcase_add_loop_test(cases, what_is_shorter_than_a_jiffy_is_right_on_average, 1, 8);
    tcase_add_test(cases, after_a_long_one_all_are_timed_again);
    tcase_add_test(cases, a_short_one_that_meets_the_next_jiffy_is_a_short_one);
    tcase_add_test(cases, a_long_one_around_others_of_its_class_is_noted);
    tcase_add_test(cases, jiffies_that_stand_still_are_not_believed);
    tcase_add_test(cases, words_that_are_not_the_clock_are_not_believed);
    tcase_add_test(cases, a_hold_that_a_forked_child_inherits_is_noted);
    tcase_add_test(cases, a_hold_of_before_another_clock_is_not_noted);
    suite_add_tcase(suite, cases);
    return engine_run(suite);
}
