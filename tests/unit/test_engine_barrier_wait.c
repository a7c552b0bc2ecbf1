/* Waiting at a barrier, in the wait-for graph: certain only when nobody can come. */
#include "engine/deadlock.h"
#include "engine/wait.h"
#include "engine_support.h"

enum { MOST = 4 };

static struct lge_thread *threads[MOST];
static uint64_t lock;
static int owner;
static _Atomic uint32_t all_here;

/* Thread 0 holds the lock. */
static void start(int count) {
    all_here = 0;
    for (int i = 0; i < count; i++)
        threads[i] = engine_thread(NULL);
    lock = engine_lock(threads[0], "table");
    engine_take(threads[0], lock);
    owner = (int)lge_thread_tid(threads[0]);
}

static bool wait_at_barrier(int i) { return lge_wait_barrier(threads[i], NULL, &all_here, 0x4711, 0); }
static bool wait_for_lock(int i, uint8_t flags) {
    struct lge_request request = engine_request(lock);
    request.flags = flags;
    return lge_wait_begin(threads[i], &request, &owner);
}
static bool join(int i, int target) {
    return lge_wait_join(threads[i], threads[target], 0x4711, 0, 1, false);
}

static const struct lge_finding_edge *edge_at_barrier(void) {
    for (size_t i = 0; i < engine_seen.last.edge_count; i++)
        if (engine_seen.edges[i].wait_kind == LGR_WAIT_BARRIER)
            return &engine_seen.edges[i];
    return NULL;
}

static void check_deadlock(size_t edges) {
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_DEADLOCK);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ACTUAL);
    ck_assert_uint_eq(engine_seen.last.edge_count, edges);
    const struct lge_finding_edge *edge = edge_at_barrier();
    ck_assert_ptr_nonnull(edge);
    ck_assert_uint_eq(edge->thread, lge_thread_serial(threads[0]));
    ck_assert_uint_eq(edge->to, 0);
    ck_assert_uint_eq(edge->to_class, 0);
}

START_TEST(the_only_other_one_needs_its_lock) {
    start(2);
    ck_assert(!wait_at_barrier(0));
    ck_assert(wait_for_lock(1, 0));
    check_deadlock(2);
    ck_assert_uint_eq(edge_at_barrier()->from, lock);
    ck_assert_uint_ne(edge_at_barrier()->held_context, 0);
}
END_TEST

START_TEST(the_barrier_may_close_the_ring) {
    start(2);
    ck_assert(!wait_for_lock(1, 0));
    ck_assert(wait_at_barrier(0));
    check_deadlock(2);
}
END_TEST

START_TEST(one_that_runs_may_come) {
    start(3);
    ck_assert(!wait_at_barrier(0));
    ck_assert(!wait_for_lock(1, 0));
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert(!join(2, 0)); /* it waits, but not on the ring */
    ck_assert(lge_wait_again(threads[1]));
    check_deadlock(2);
}
END_TEST

START_TEST(one_with_a_time_limit_may_come) {
    start(3);
    ck_assert(!wait_at_barrier(0));
    ck_assert(!wait_for_lock(2, LGE_TIMED));
    ck_assert(!wait_for_lock(1, 0));
    ck_assert(!lge_wait_again(threads[1]));
    lge_wait_end(threads[2]);
    ck_assert(!lge_wait_again(threads[1]));
    ck_assert(wait_for_lock(2, 0));
}
END_TEST

START_TEST(all_have_come) {
    start(2);
    ck_assert(!wait_at_barrier(0));
    all_here = 1; /* it has not run since */
    ck_assert(!wait_for_lock(1, 0));
    ck_assert(!lge_wait_again(threads[1]));
    ck_assert_uint_eq(engine_seen.count, 0);
    lge_wait_end(threads[0]);
    all_here = 0; /* of somebody else's round by now */
    ck_assert(!lge_wait_again(threads[1]));
}
END_TEST

START_TEST(another_barrier_that_opens_is_enough) {
    static _Atomic uint32_t other;
    other = 0;
    start(3);
    ck_assert(!wait_at_barrier(0));
    ck_assert(!lge_wait_barrier(threads[2], NULL, &other, 0x4712, 0));
    other = 1;
    ck_assert(!wait_for_lock(1, 0));
    other = 0;
    ck_assert(lge_wait_again(threads[1]));
}
END_TEST

START_TEST(one_that_is_joined_waits_for_the_joiner) {
    start(2);
    engine_give(threads[0], lock);
    ck_assert(!wait_at_barrier(0));
    ck_assert(join(1, 0));
    check_deadlock(2);
    ck_assert_uint_eq(edge_at_barrier()->held_count, 0);
}
END_TEST

START_TEST(nobody_needs_anything_of_it) {
    start(2);
    ck_assert(!wait_at_barrier(0));
    uint64_t elsewhere = engine_lock(threads[1], "elsewhere");
    struct lge_request request = engine_request(elsewhere);
    int stranger = 1;
    ck_assert(!lge_wait_begin(threads[1], &request, &stranger));
    ck_assert(!lge_wait_again(threads[1]));
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

START_TEST(ended_threads_do_not_come) {
    start(3);
    lge_thread_end(threads[2]);
    ck_assert(!wait_at_barrier(0));
    ck_assert(wait_for_lock(1, 0));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_barrier_wait");
    TCase *tests = engine_case(suite, "barrier_wait");
    tcase_add_test(tests, the_only_other_one_needs_its_lock);
    tcase_add_test(tests, the_barrier_may_close_the_ring);
    tcase_add_test(tests, one_that_runs_may_come);
    tcase_add_test(tests, one_with_a_time_limit_may_come);
    tcase_add_test(tests, all_have_come);
    tcase_add_test(tests, another_barrier_that_opens_is_enough);
    tcase_add_test(tests, one_that_is_joined_waits_for_the_joiner);
    tcase_add_test(tests, nobody_needs_anything_of_it);
    tcase_add_test(tests, ended_threads_do_not_come);
    return engine_run(suite);
}
