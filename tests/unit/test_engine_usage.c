/* How locks are used: waits, holds, operations and the limits made of them. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/adaptive.h"
#include "engine/hold_times.h"
#include "engine/lifecycle.h"
#include "engine/operation.h"
#include "engine/usage.h"
#include "engine_support.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "record/writer.h"
#include "record_support.h"

static struct lge_thread *one, *two;
static uint64_t a, b;
static int owner = 4711;

static struct {
    unsigned count;
    struct lge_adapted last;
} adapted;
static void note(const struct lge_adapted *what) {
    adapted.count++;
    adapted.last = *what;
}

static void start(bool profile, uint32_t factor_percent) {
    engine_config.profile = profile;
    engine_config.adaptive = (struct lge_adaptive_limits){factor_percent, 10, 1000};
    engine_config.on_adapted = note;
    engine_up();
    memset(&adapted, 0, sizeof adapted);
    one = engine_thread(NULL);
    two = engine_thread(one);
    a = engine_lock(one, "a");
    b = engine_lock(one, "b");
}
static void set_up(void) { start(true, 0); }
static void set_up_plain(void) { start(false, 0); }
static void set_up_adaptive(void) { start(false, 200); }

/* The figures of a lock's class; all zero where there are none. */
static struct lgr_figures figures_of(uint64_t lock) {
    struct lge_class_usage *usages;
    struct lgr_figures figures = {0};
    size_t count;
    ck_assert(lge_usages_collect(&usages, &count));
    for (size_t i = 0; i < count; i++)
        if (usages[i].class_id == lge_lock_class(lock))
            figures = usages[i].figures;
    lgp_free(usages, count * sizeof *usages);
    return figures;
}

static void wait_begin(struct lge_thread *thread, uint64_t lock) {
    struct lge_request request = engine_request(lock);
    lge_wait_begin(thread, &request, &owner);
}
static void wait_once(struct lge_thread *thread, uint64_t lock) {
    wait_begin(thread, lock);
    lge_wait_end(thread);
}

/* ---- waits ---- */

START_TEST(every_wait_is_counted_and_timed) {
    for (int i = 0; i < 3; i++)
        wait_once(one, a);
    wait_begin(one, a);
    usleep(3000);
    lge_wait_end(one);
    struct lgr_figures figures = figures_of(a);
    ck_assert_uint_eq(figures.contended, 4);
    ck_assert_uint_eq(lgr_times_count(&figures.wait), 4);
    ck_assert_uint_ge(figures.wait.max_ns, 3000000);
    ck_assert_uint_ge(figures.wait.total_ns, figures.wait.max_ns);
    ck_assert_uint_eq(figures_of(b).contended, 0);
    ck_assert_uint_eq(lgr_times_count(&figures.hold), 0);
}
END_TEST

START_TEST(a_wait_that_goes_on_is_counted_and_not_timed) {
    wait_begin(one, a);
    struct lgr_figures figures = figures_of(a);
    ck_assert_uint_eq(figures.contended, 1);
    ck_assert_uint_eq(lgr_times_count(&figures.wait), 0);
    lge_wait_end(one);
}
END_TEST

START_TEST(another_waiter_is_another_owner) {
    wait_once(one, a);
    wait_once(one, a);
    wait_once(two, a);
    wait_once(two, b);
    wait_once(one, a);
    ck_assert_uint_eq(figures_of(a).owner_changes, 3); /* one, two, one */
    ck_assert_uint_eq(figures_of(b).owner_changes, 1);
}
END_TEST

START_TEST(most_waiters_at_once) {
    wait_begin(one, a);
    wait_begin(two, a);
    lge_wait_end(one);
    lge_wait_end(two);
    wait_once(one, a);
    wait_once(one, b);
    ck_assert_uint_eq(figures_of(a).waiters_max, 2);
    ck_assert_uint_eq(figures_of(b).waiters_max, 1);
}
END_TEST

START_TEST(a_condition_and_a_join_are_no_contention) {
    struct lge_request request = engine_request(a);
    struct lge_condition_wait wait = {.condition = &owner};
    engine_take(one, b);
    lge_wait_condition(one, &request, &owner, &wait);
    lge_wait_end(one);
    lge_wait_join(one, two, 1, 0, 0, false);
    lge_wait_end(one);
    ck_assert_uint_eq(figures_of(a).contended, 0);
    ck_assert_uint_eq(figures_of(b).contended, 0);
}
END_TEST

/* ---- in the evidence ---- */

START_TEST(a_record_is_written_again_in_place) {
    temporary_make();
    writer_start(0);
    wait_once(one, a);
    lge_usages_write();
    wait_once(two, a);
    lge_usages_write();
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_usage_count(file), 2); /* the class, and the place */
    for (size_t i = 0; i < 2; i++) {
        const struct lgr_usage *usage = lgr_usage_at(file, i);
        ck_assert_uint_eq(usage->class_id, lge_lock_class(a));
        ck_assert_uint_eq(usage->figures.contended, 2);
        ck_assert_uint_eq(lgr_times_count(&usage->figures.wait), 2);
    }
    ck_assert((lgr_usage_at(file, 0)->context == 0) != (lgr_usage_at(file, 1)->context == 0));
    lgr_close(file);
    temporary_remove();
}
END_TEST

START_TEST(a_child_that_nobody_saw_leaves_its_parents_file_alone) {
    temporary_make();
    writer_start(0);
    wait_once(one, a);
    lge_usages_write();
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        wait_once(one, a);
        lge_usages_write();
        engine_leave(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_usage_at(file, 0)->figures.contended, 1);
    lgr_close(file);
    temporary_remove();
}
END_TEST

START_TEST(what_is_refused_is_not_tried_again) {
    temporary_make();
    writer_start(64 * 1024);
    write_edges(100000);
    wait_once(one, a);
    lge_usages_write();
    uint64_t dropped = lgr_writer_header()->dropped;
    ck_assert_uint_gt(dropped, 0);
    for (int i = 0; i < 10; i++)
        lge_usages_write();
    ck_assert_uint_eq(lgr_writer_header()->dropped, dropped);
    temporary_remove();
}
END_TEST

/* ---- threads ---- */

/* What is written of it; NULL: nothing. */
static const struct lgr_thread_waits *waits_of(const struct lgr_file *file, uint32_t serial) {
    for (size_t i = 0; i < lgr_thread_waits_count(file); i++)
        if (lgr_thread_waits_at(file, i)->serial == serial)
            return lgr_thread_waits_at(file, i);
    return NULL;
}

START_TEST(each_thread_counts_its_waits) {
    struct lge_thread *idle = engine_thread(one);
    temporary_make();
    writer_start(0);
    wait_once(one, a);
    lge_usages_write();
    wait_once(one, b);
    wait_begin(two, a);
    usleep(3000);
    lge_wait_end(two);
    wait_begin(one, a); /* goes on */
    lge_usages_write();
    struct lgr_file *file = open_written();
    const struct lgr_thread_waits *first = waits_of(file, lge_thread_serial(one));
    const struct lgr_thread_waits *second = waits_of(file, lge_thread_serial(two));
    ck_assert(first != NULL && second != NULL);
    ck_assert_uint_eq(lgr_thread_waits_count(file), 2);
    ck_assert_uint_eq(first->count, 2);
    ck_assert_uint_eq(second->count, 1);
    ck_assert_uint_ge(second->total_ns, 3000000);
    ck_assert_uint_eq(second->total_ns, second->max_ns);
    ck_assert_uint_ge(first->total_ns, first->max_ns);
    ck_assert_ptr_nonnull(lgr_thread_by_serial(file, second->serial));
    ck_assert_ptr_null(waits_of(file, lge_thread_serial(idle)));
    lgr_close(file);
    lge_wait_end(one);
    temporary_remove();
}
END_TEST

/* Its block is used again. */
START_TEST(what_ended_threads_waited_stays) {
    temporary_make();
    writer_start(0);
    uint32_t ended = lge_thread_serial(two);
    wait_once(two, a);
    lge_thread_end(two);
    lge_thread_joined(one, two, ended);
    two = engine_thread(one);
    wait_once(two, a);
    wait_once(two, a);
    lge_usages_write();
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(waits_of(file, ended)->count, 1);
    ck_assert_uint_eq(waits_of(file, lge_thread_serial(two))->count, 2);
    lgr_close(file);
    temporary_remove();
}
END_TEST

START_TEST(a_child_that_nobody_saw_leaves_its_parents_threads_alone) {
    temporary_make();
    writer_start(0);
    uint32_t serial = lge_thread_serial(two);
    wait_once(two, a);
    lge_usages_write();
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        wait_once(two, a);
        lge_thread_end(two);
        lge_thread_joined(one, two, serial);
        engine_leave(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(waits_of(file, serial)->count, 1);
    lgr_close(file);
    temporary_remove();
}
END_TEST

START_TEST(later_ones_of_many_threads_are_counted_together) {
    enum { MORE = 10 };
    temporary_make();
    writer_start(0);
    for (int i = 0; i < LGE_THREAD_WAITS + MORE; i++) {
        struct lge_thread *thread = engine_thread(one);
        wait_once(thread, a);
        lge_thread_abandon(thread);
    }
    lge_usages_write();
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_thread_waits_count(file), LGE_THREAD_WAITS + 1);
    ck_assert_uint_eq(waits_of(file, 0)->count, MORE);
    ck_assert_uint_ge(waits_of(file, 0)->total_ns, waits_of(file, 0)->max_ns);
    lgr_close(file);
    temporary_remove();
}
END_TEST

START_TEST(the_waits_of_a_forked_child_are_its_own) {
    engine_forgets();
    wait_once(one, a);
    lge_fork_child(one, lgp_tid());
    temporary_make();
    writer_start(0);
    wait_once(one, a);
    wait_once(one, a);
    lge_usages_write();
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(waits_of(file, lge_thread_serial(one))->count, 2);
    lgr_close(file);
    temporary_remove();
}
END_TEST

/* ---- holds ---- */

START_TEST(every_hold_is_timed_once) {
    for (int i = 0; i < 100; i++)
        engine_nest(one, a, b);
    engine_take(two, a);
    usleep(3000);
    engine_give(two, a);
    engine_take(two, b); /* goes on */
    struct lgr_figures figures = figures_of(a);
    ck_assert_uint_eq(lgr_times_count(&figures.hold), 101);
    ck_assert_uint_ge(figures.hold.max_ns, 3000000);
    figures = figures_of(b);
    ck_assert_uint_eq(lgr_times_count(&figures.hold), 100);
}
END_TEST

START_TEST(a_hold_that_is_not_the_newest_is_timed) {
    engine_take(one, a);
    usleep(2000);
    engine_take(one, b);
    engine_give(one, a);
    engine_give(one, b);
    struct lgr_figures outer = figures_of(a), inner = figures_of(b);
    ck_assert_uint_ge(outer.hold.total_ns, 2000000);
    ck_assert_uint_eq(lgr_times_count(&outer.hold), 1);
    ck_assert_uint_eq(lgr_times_count(&inner.hold), 1);
}
END_TEST

START_TEST(what_ended_threads_held_stays) {
    engine_nest(two, a, b);
    lge_thread_end(two);
    lge_thread_joined(one, two, lge_thread_serial(two));
    engine_nest(one, a, b);
    struct lgr_figures figures = figures_of(a);
    ck_assert_uint_eq(lgr_times_count(&figures.hold), 2);
}
END_TEST

/* As if that many had not been timed, after one that lasted so long. */
static struct lge_class_times *left_untimed(struct lge_thread *thread, uint32_t count, uint64_t lasted_ns) {
    engine_nest(thread, a, b);
    struct lge_class_times *times = lge_class_times(thread->hold_times, lge_lock_class(a));
    times->untimed = count;
    times->lasted_ns = lasted_ns;
    return times;
}

START_TEST(what_others_have_not_timed_so_far_is_counted) {
    left_untimed(one, 20, 1000);
    left_untimed(two, 10, 1000);
    for (int i = 0; i < 3; i++) {
        struct lgr_figures figures = figures_of(a);
        ck_assert_uint_eq(lgr_times_count(&figures.hold), 32);
        ck_assert_uint_eq(figures.estimated, 30);
        ck_assert_uint_ge(figures.hold.buckets[lgr_bucket(1000)], 30);
        ck_assert_uint_ge(figures.hold.total_ns, 30000);
    }
}
END_TEST

static uint64_t not_longer(const struct lgr_times *times, unsigned bucket) {
    uint64_t count = 0;
    for (unsigned i = 0; i <= bucket; i++)
        count += times->buckets[i];
    return count;
}

/* One that is timed then may show that they were longer, or shorter. */
START_TEST(what_was_told_once_is_not_taken_back) {
    uint64_t guess = _i == 0 ? 100 : 1000000, truth = _i == 0 ? 1000000 : 100;
    struct lge_class_times *times = left_untimed(two, 20, guess);
    struct lgr_figures before = figures_of(a);
    times->untimed = 0;
    lgr_times_note_many(&times->hold, truth, 21);
    struct lgr_figures after = figures_of(a);
    for (unsigned i = 0; i < LGR_BUCKETS; i++)
        ck_assert_uint_ge(not_longer(&after.hold, i), not_longer(&before.hold, i));
    ck_assert_uint_ge(after.hold.total_ns, before.hold.total_ns);
    ck_assert_uint_ge(after.estimated, before.estimated);
    ck_assert_uint_eq(lgr_times_count(&after.hold), 22);
    lgr_times_note_many(&times->hold, truth, 1000);
    after = figures_of(a);
    ck_assert_uint_eq(lgr_times_count(&after.hold), 1022);
    ck_assert_uint_ge(after.hold.buckets[lgr_bucket(truth)], 1000);
}
END_TEST

START_TEST(each_thread_picks_at_random_for_itself) {
    ck_assert_uint_ne(left_untimed(one, 0, 0)->random, left_untimed(two, 0, 0)->random);
}
END_TEST

START_TEST(many_classes_are_kept_apart) {
    uint64_t locks[300];
    char name[16];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "class %u", i);
        locks[i] = engine_lock(one, name);
        for (unsigned k = 0; k <= i; k++) {
            engine_take(one, locks[i]);
            engine_give(one, locks[i]);
        }
    }
    for (unsigned i = 0; i < 300; i++) {
        struct lgr_figures figures = figures_of(locks[i]);
        ck_assert_uint_eq(lgr_times_count(&figures.hold), i + 1);
    }
}
END_TEST

START_TEST(nothing_is_timed_unasked) {
    engine_nest(one, a, b);
    struct lgr_figures figures = figures_of(a);
    ck_assert_uint_eq(lgr_times_count(&figures.hold), 0);
}
END_TEST

START_TEST(a_forked_child_begins_at_zero) {
    engine_forgets();
    engine_nest(one, a, b);
    wait_once(one, a);
    lge_fork_child(one, lgp_tid());
    struct lgr_figures figures = figures_of(a);
    ck_assert_uint_eq(figures.contended + lgr_times_count(&figures.hold) + lgr_times_count(&figures.wait), 0);
    engine_nest(one, a, b);
    wait_once(one, a);
    figures = figures_of(a);
    ck_assert_uint_eq(lgr_times_count(&figures.hold), 1);
    ck_assert_uint_eq(figures.contended, 1);
}
END_TEST

/* ---- operations ---- */

START_TEST(the_innermost_operation_counts) {
    ck_assert_uint_eq(lge_operation(one), 0);
    ck_assert_ptr_null(lge_operation_name(0));
    for (int depth = 0; depth < 20; depth++)
        ck_assert(lge_operation_begin(one, depth % 2 ? "odd" : "even"));
    for (int depth = 19; depth >= 0; depth--) {
        ck_assert_str_eq(lge_operation_name(lge_operation(one)), depth % 2 ? "odd" : "even");
        ck_assert_uint_eq(lge_operation(two), 0);
        lge_operation_end(one);
    }
    lge_operation_end(one);
    ck_assert_uint_eq(lge_operation(one), 0);
}
END_TEST

/* ---- adaptive limits ---- */

static void hold(struct lge_thread *thread, uint64_t lock, unsigned times, uint64_t ns) {
    for (unsigned i = 0; i < times; i++)
        lge_adaptive_held(thread, lge_lock_class(lock), ns);
}
static uint32_t limit_of(struct lge_thread *thread, uint64_t lock) {
    return lge_adaptive_limit(thread, lge_lock_class(lock));
}
enum { MS = 1000000 };

START_TEST(no_limit_before_a_hundred_holds) {
    ck_assert_uint_eq(limit_of(one, a), 0);
    hold(one, a, 99, 50 * MS);
    ck_assert_uint_eq(limit_of(one, a), 0);
    ck_assert_uint_eq(adapted.count, 0);
    hold(one, a, 1, 50 * MS);
    ck_assert_uint_eq(limit_of(one, a), 100); /* twice as long */
    ck_assert_uint_eq(adapted.count, 1);
    ck_assert_uint_eq(adapted.last.from_ms, 0);
    ck_assert_uint_eq(adapted.last.to_ms, 100);
    ck_assert_uint_eq(adapted.last.holds, 100);
    ck_assert_uint_eq(adapted.last.p99_ns, 50 * MS);
    ck_assert_ptr_null(adapted.last.operation);
}
END_TEST

START_TEST(a_limit_is_clamped) {
    limit_of(one, a);
    limit_of(one, b);
    hold(one, a, 100, 100);
    hold(one, b, 100, UINT64_C(5000) * MS);
    ck_assert_uint_eq(limit_of(one, a), 10);
    ck_assert_uint_eq(limit_of(one, b), 1000);
}
END_TEST

START_TEST(a_limit_follows_and_is_told_when_it_changes) {
    limit_of(one, a);
    hold(one, a, 300, 20 * MS);
    ck_assert_uint_eq(adapted.count, 1);
    hold(one, a, 100, 200 * MS);
    ck_assert_uint_eq(adapted.count, 2);
    ck_assert_uint_eq(adapted.last.from_ms, 40);
    ck_assert_uint_eq(adapted.last.to_ms, 400);
    hold(one, a, 3000, 20 * MS);             /* the long ones fade */
    ck_assert_uint_eq(limit_of(one, a), 68); /* twice the edge of their bucket */
}
END_TEST

START_TEST(each_operation_has_its_own_limit) {
    lge_operation_begin(two, "scrape");
    limit_of(one, a);
    limit_of(two, a);
    hold(one, a, 100, 20 * MS);
    hold(two, a, 100, 100 * MS);
    ck_assert_str_eq(adapted.last.operation, "scrape");
    ck_assert_uint_eq(limit_of(one, a), 40);
    ck_assert_uint_eq(limit_of(two, a), 200);
    lge_operation_end(two);
    ck_assert_uint_eq(limit_of(two, a), 40);
}
END_TEST

START_TEST(real_holds_are_counted) {
    limit_of(one, a);
    for (int i = 0; i < 100; i++)
        engine_nest(one, a, b);
    ck_assert_uint_eq(limit_of(one, a), 10);
    ck_assert_uint_eq(limit_of(one, b), 0); /* nobody asked before */
    struct lgr_figures figures = figures_of(a);
    ck_assert_uint_eq(lgr_times_count(&figures.hold), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_usage");
    TCase *plain = tcase_create("waits"), *profile = tcase_create("holds"), *limits = tcase_create("limits");
    tcase_add_checked_fixture(plain, set_up_plain, engine_down);
    tcase_add_checked_fixture(profile, set_up, engine_down);
    tcase_add_checked_fixture(limits, set_up_adaptive, engine_down);
    tcase_add_test(plain, every_wait_is_counted_and_timed);
    tcase_add_test(plain, a_wait_that_goes_on_is_counted_and_not_timed);
    tcase_add_test(plain, another_waiter_is_another_owner);
    tcase_add_test(plain, most_waiters_at_once);
    tcase_add_test(plain, a_condition_and_a_join_are_no_contention);
    tcase_add_test(plain, nothing_is_timed_unasked);
    tcase_add_test(plain, a_record_is_written_again_in_place);
    tcase_add_test(plain, a_child_that_nobody_saw_leaves_its_parents_file_alone);
    tcase_add_test(plain, what_is_refused_is_not_tried_again);
    tcase_add_test(plain, each_thread_counts_its_waits);
    tcase_add_test(plain, what_ended_threads_waited_stays);
    tcase_add_test(plain, a_child_that_nobody_saw_leaves_its_parents_threads_alone);
    tcase_add_test(plain, later_ones_of_many_threads_are_counted_together);
    tcase_add_test(plain, the_waits_of_a_forked_child_are_its_own);
    tcase_add_test(profile, every_hold_is_timed_once);
    tcase_add_test(profile, a_hold_that_is_not_the_newest_is_timed);
    tcase_add_test(profile, what_ended_threads_held_stays);
    tcase_add_test(profile, what_others_have_not_timed_so_far_is_counted);
    tcase_add_loop_test(profile, what_was_told_once_is_not_taken_back, 0, 2);
    tcase_add_test(profile, each_thread_picks_at_random_for_itself);
    tcase_add_test(profile, many_classes_are_kept_apart);
    tcase_add_test(profile, a_forked_child_begins_at_zero);
    tcase_add_test(profile, the_innermost_operation_counts);
    tcase_add_test(limits, no_limit_before_a_hundred_holds);
    tcase_add_test(limits, a_limit_is_clamped);
    tcase_add_test(limits, a_limit_follows_and_is_told_when_it_changes);
    tcase_add_test(limits, each_operation_has_its_own_limit);
    tcase_add_test(limits, real_holds_are_counted);
    suite_add_tcase(suite, plain);
    suite_add_tcase(suite, profile);
    suite_add_tcase(suite, limits);
    return engine_run(suite);
}
