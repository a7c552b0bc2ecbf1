#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/jiffy.h"
#include "platform/system.h"

static uint64_t awaited(uint64_t jiffy) {
    uint64_t until = lgp_monotonic_ns() + 1000000000, next;
    while ((next = lgp_jiffy()) == jiffy && lgp_monotonic_ns() < until)
        continue;
    return next;
}

/* Every kernel with a vDSO has its data; an emulator's vDSO has none. */
static bool kernel_tells(void) {
    char line[8192];
    bool tells = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps) != NULL)
        tells |= strstr(line, " [vvar]\n") != NULL;
    fclose(maps);
    return tells;
}

/* Where the kernel tells them, they must be found: without, profiles cost more, and nobody would notice. */
START_TEST(jiffies_follow_each_other) {
    lgp_jiffy_start();
    uint64_t jiffy = lgp_jiffy_sure();
    if (!kernel_tells()) {
        ck_assert_uint_eq(jiffy, 0);
        return;
    }
    ck_assert_uint_ne(jiffy, 0);
    ck_assert(lgp_jiffies.step_ns >= 1000000 && lgp_jiffies.step_ns <= 10000000);
    for (int i = 0; i < 10; i++) {
        uint64_t next = awaited(jiffy), now = lgp_monotonic_ns();
        ck_assert_uint_gt(lgp_jiffy_ns(next), lgp_jiffy_ns(jiffy));
        ck_assert_uint_le(lgp_jiffy_ns(next), now);
        jiffy = next;
    }
    ck_assert_uint_ne(lgp_jiffy_sure(), 0);
}
END_TEST

START_TEST(before_the_start_there_are_none) {
    ck_assert_uint_eq(lgp_jiffy(), 0);
    ck_assert_uint_eq(lgp_jiffy_sure(), 0);
}
END_TEST

START_TEST(what_is_not_the_clock_is_turned_off) {
    static const uint64_t words[2] = {47, 11};
    lgp_jiffies.words = words;
    ck_assert_uint_eq(lgp_jiffy(), (uint64_t)47 << 32 | 11);
    ck_assert_uint_eq(lgp_jiffy_sure(), 0);
    ck_assert_uint_eq(lgp_jiffy(), 0);
}
END_TEST

START_TEST(a_second_later_it_is_another_one) {
    static uint64_t words[2] = {47, 11};
    lgp_jiffies.words = words;
    uint64_t first = lgp_jiffy();
    words[0]++;
    ck_assert_uint_ne(lgp_jiffy(), first);
    ck_assert_uint_eq(lgp_jiffy_ns(lgp_jiffy()), lgp_jiffy_ns(first) + 1000000000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("platform jiffy");
    TCase *cases = tcase_create("jiffies");
    tcase_add_test(cases, jiffies_follow_each_other);
    tcase_add_test(cases, before_the_start_there_are_none);
    tcase_add_test(cases, what_is_not_the_clock_is_turned_off);
    tcase_add_test(cases, a_second_later_it_is_another_one);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
