/* Single holds and waits in the evidence, by threads that are none. */
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/lifecycle.h"
#include "engine/overlong.h"
#include "engine/timeline.h"
#include "engine_support.h"
#include "platform/system.h"
#include "record/writer.h"
#include "record_support.h"

enum { LEAST_NS = 50000000, LONG_US = 60000, ROOM = LGE_TIMELINE_BLOCK * LGE_TIMELINE_BLOCKS };

static struct lge_thread *one, *two;
static uint64_t a, b;
static int owner = 4711;

static void start(uint64_t least_ns) {
    engine_config.timeline_ns = least_ns;
    engine_up();
    temporary_make();
    writer_start(0);
    one = engine_thread(NULL);
    two = engine_thread(one);
    a = engine_lock(one, "a");
    b = engine_lock(one, "b");
}
static void set_up(void) { start(LEAST_NS); }
static void set_up_off(void) { start(0); }
static void tear_down(void) {
    engine_down();
    temporary_remove();
}

static void give(struct lge_thread *thread, uint64_t id) {
    lge_releasing(thread, (const void *)(uintptr_t)id, 0x7000, 0);
    engine_give(thread, id);
}
static void hold(struct lge_thread *thread, uint64_t id, unsigned us) {
    engine_take(thread, id);
    usleep(us);
    give(thread, id);
}
static void wait_for(struct lge_thread *thread, uint64_t id, unsigned us) {
    struct lge_request request = engine_request(id);
    lge_wait_begin(thread, &request, &owner);
    usleep(us);
    lge_wait_end(thread);
}
/* A hold that lasted so long, without the time. */
static void pretend(struct lge_thread *thread, uint64_t length_ns) {
    engine_take(thread, a);
    thread->top->since_ns = lgp_monotonic_ns() - length_ns;
    give(thread, a);
}

/* ---- what is there ---- */

START_TEST(a_hold_and_a_wait_are_kept_with_their_times) {
    uint64_t before = lgp_monotonic_ns();
    hold(one, a, LONG_US);
    wait_for(two, a, LONG_US);
    struct lgr_file *file = open_written();
    size_t count;
    const struct lgr_span *spans = lgr_spans(file, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(lgr_spans_least(file), LEAST_NS);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(spans[i].target, a);
        ck_assert_uint_ge(spans[i].length_ns, LONG_US * 1000);
        ck_assert_uint_ge(spans[i].start_ns, before);
        ck_assert_ptr_nonnull(lgr_thread_by_serial(file, spans[i].thread));
        ck_assert_ptr_nonnull(lgr_lock_by_id(file, spans[i].target));
        ck_assert_ptr_nonnull(lgr_context_by_id(file, spans[i].context));
    }
    ck_assert_uint_eq(spans[0].wait_kind, LGR_WAIT_NONE);
    ck_assert_uint_eq(spans[0].thread, lge_thread_serial(one));
    ck_assert_uint_eq(spans[1].wait_kind, LGR_WAIT_LOCK);
    ck_assert_uint_eq(spans[1].thread, lge_thread_serial(two));
    ck_assert_uint_ge(spans[1].start_ns, spans[0].start_ns + spans[0].length_ns);
    lgr_close(file);
}
END_TEST

START_TEST(a_lock_that_stands_alone_has_a_record) {
    hold(one, a, LONG_US);
    struct lgr_file *file = open_written();
    ck_assert_ptr_nonnull(lgr_lock_by_id(file, a));
    lgr_close(file);
}
END_TEST

static size_t kept(void) {
    struct lgr_file *file = open_written();
    size_t count;
    lgr_spans(file, &count);
    lgr_close(file);
    return count;
}

START_TEST(what_is_short_is_not_kept) {
    pretend(one, 0);
    wait_for(one, a, 0);
    ck_assert_uint_eq(kept(), 0);
}
END_TEST

START_TEST(nothing_is_kept_unasked) {
    hold(one, a, LONG_US);
    wait_for(one, a, LONG_US);
    ck_assert_uint_eq(kept(), 0);
    ck_assert(!lge_hold_limited);
}
END_TEST

/* Of the only span that is there. */
static struct lgr_file *open_with_one(uint16_t wait_kind, uint64_t target) {
    struct lgr_file *file = open_written();
    size_t count;
    const struct lgr_span *spans = lgr_spans(file, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(spans[0].wait_kind, wait_kind);
    ck_assert_uint_eq(spans[0].target, target);
    return file;
}

START_TEST(an_idle_wait_for_a_condition_is_none) {
    struct lge_request request = engine_request(a);
    struct lge_condition_wait wait = {.condition = &owner, .endless = true};
    lge_wait_condition(one, &request, NULL, &wait);
    usleep(LONG_US);
    lge_wait_end(one);
    ck_assert_uint_eq(kept(), 0);
    engine_take(one, b);
    lge_wait_condition(one, &request, NULL, &wait);
    usleep(LONG_US);
    lge_wait_end(one);
    lgr_close(open_with_one(LGR_WAIT_CONDITION, (uintptr_t)&owner));
    engine_give(one, b);
}
END_TEST

START_TEST(a_join_names_its_thread) {
    lge_wait_join(one, two, 0x7000, 0, 0, false);
    usleep(LONG_US);
    lge_wait_end(one);
    struct lgr_file *file = open_with_one(LGR_WAIT_JOIN, lge_thread_serial(two));
    ck_assert_ptr_nonnull(lgr_thread_by_serial(file, lge_thread_serial(two)));
    lgr_close(file);
}
END_TEST

/* ---- bounds ---- */

START_TEST(of_very_many_the_longer_ones_stay) {
    enum { MANY = ROOM * 3 };
    for (uint64_t i = 0; i < MANY; i++)
        pretend(one, LEAST_NS + (i * 7919 % MANY) * 1000000);
    struct lgr_file *file = open_written();
    size_t count, long_enough = 0;
    const struct lgr_span *spans = lgr_spans(file, &count);
    uint64_t least = lgr_spans_least(file);
    ck_assert_uint_gt(least, LEAST_NS);
    ck_assert_uint_le(count, ROOM);
    ck_assert_uint_ge(count, ROOM / 4);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_ge(spans[i].length_ns, least);
    for (uint64_t i = 0; i < MANY; i++)
        long_enough += LEAST_NS + i * 1000000 >= least;
    ck_assert_uint_ge(count, long_enough); /* the time since may make one more long enough */
    ck_assert_uint_le(count, long_enough + 1);
    lgr_close(file);
}
END_TEST

START_TEST(equal_ones_do_not_end_it) {
    for (int i = 0; i < ROOM * 2 + 10; i++)
        pretend(one, LEAST_NS);
    ck_assert_uint_le(kept(), ROOM);
    pretend(one, LEAST_NS * UINT64_C(1000));
    ck_assert_uint_ge(kept(), 1);
}
END_TEST

START_TEST(a_full_file_ends_it) {
    engine_config.timeline_ns = LEAST_NS;
    temporary_remove();
    temporary_make();
    writer_start(1);
    pretend(one, LEAST_NS);
    pretend(one, LEAST_NS);
    ck_assert_uint_eq(kept(), 0);
}
END_TEST

/* ---- other processes ---- */

START_TEST(a_forked_child_begins_anew) {
    engine_forgets();
    pretend(one, LEAST_NS);
    lge_fork_child(one, lgp_tid());
    temporary_remove();
    temporary_make();
    writer_start(0);
    pretend(one, LEAST_NS);
    ck_assert_uint_eq(kept(), 1);
}
END_TEST

START_TEST(a_child_that_nobody_saw_leaves_its_parents_file_alone) {
    pretend(one, LEAST_NS);
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        pretend(one, LEAST_NS);
        engine_leave(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_uint_eq(kept(), 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_timeline");
    TCase *spans = tcase_create("spans"), *off = tcase_create("off");
    tcase_add_checked_fixture(spans, set_up, tear_down);
    tcase_add_checked_fixture(off, set_up_off, tear_down);
    tcase_add_test(spans, a_hold_and_a_wait_are_kept_with_their_times);
    tcase_add_test(spans, a_lock_that_stands_alone_has_a_record);
    tcase_add_test(spans, what_is_short_is_not_kept);
    tcase_add_test(off, nothing_is_kept_unasked);
    tcase_add_test(spans, an_idle_wait_for_a_condition_is_none);
    tcase_add_test(spans, a_join_names_its_thread);
    tcase_add_test(spans, of_very_many_the_longer_ones_stay);
    tcase_add_test(spans, equal_ones_do_not_end_it);
    tcase_add_test(spans, a_full_file_ends_it);
    tcase_add_test(spans, a_forked_child_begins_anew);
    tcase_add_test(spans, a_child_that_nobody_saw_leaves_its_parents_file_alone);
    suite_add_tcase(suite, spans);
    suite_add_tcase(suite, off);
    return engine_run(suite);
}
