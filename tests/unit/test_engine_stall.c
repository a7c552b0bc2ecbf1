/* Every thread waits for ever: when that is told, and when it is not. */
#include "engine/census.h"
#include "engine/deadlock.h"
#include "engine/semaphore.h"
#include "engine/stall.h"
#include "engine/wait.h"
#include "engine_support.h"

enum { MOST = 4 };

static struct lge_thread *threads[MOST];
static _Atomic uint32_t signalled, all_here;
static int condition;

/* What the front end says: the last answer is given again and again. */
static enum lge_company answers[4];
static size_t asked;
static struct lge_sleeper sleepers[MOST];
static size_t sleeping;
static bool slots_left;

static void (*meanwhile)(void); /* happens while it is asked */

static enum lge_company company(const struct lge_sleeper *list, size_t count) {
    sleeping = count;
    if (meanwhile != NULL)
        meanwhile();
    for (size_t i = 0; i < count && i < MOST; i++)
        sleepers[i] = list[i];
    enum lge_company answer = answers[asked < 3 ? asked : 3];
    asked++;
    return answer;
}

static bool exhausted(const void *address) {
    (void)address;
    return !slots_left;
}

static bool last_signal(const void *address, uint32_t *thread, uintptr_t *site) {
    *thread = lge_thread_serial(threads[0]);
    *site = 0x5160;
    return address == &condition;
}

static void start(int count) {
    engine_config.company = company;
    engine_config.exhausted = exhausted;
    engine_config.last_signal = last_signal;
    engine_again();
    signalled = all_here = 0;
    asked = sleeping = 0;
    meanwhile = NULL;
    slots_left = false;
    for (int i = 0; i < 4; i++)
        answers[i] = LGE_ALONE;
    for (int i = 0; i < count; i++)
        threads[i] = engine_thread(NULL);
}

static struct lge_request request_of(uint64_t id) {
    struct lge_request request = engine_request(id);
    request.sp = 0;
    return request;
}

static bool wait_condition(int i, uint64_t mutex, bool endless) {
    static const int nobody = 0;
    struct lge_request request = request_of(mutex);
    struct lge_condition_wait wait = {&condition, &signalled, request.context, endless};
    return lge_wait_condition(threads[i], &request, &nobody, &wait);
}

static bool join(int i, int target, bool timed) {
    return lge_wait_join(threads[i], threads[target], 0x4711, 0, 1, timed);
}

static uint64_t mutex_of(int i) { return engine_lock(threads[i], "mutex"); }

static const struct lge_finding_edge *edge_of(int thread) {
    for (size_t i = 0; i < engine_seen.last.edge_count; i++)
        if (engine_seen.edges[i].thread == lge_thread_serial(threads[thread]))
            return &engine_seen.edges[i];
    return NULL;
}

static void check_stall(size_t edges) {
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_STALL);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ACTUAL);
    ck_assert_int_eq(engine_seen.last.severity, LGR_ERROR);
    ck_assert_uint_eq(engine_seen.last.edge_count, edges);
}

static void check_silence(void) { ck_assert_uint_eq(engine_seen.count, 0); }

/* ---- what is told ---- */

START_TEST(a_lost_signal_and_a_join) {
    start(2);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(join(0, 1, false));
    check_stall(2);
    const struct lge_finding_edge *waiter = edge_of(1), *joiner = edge_of(0);
    ck_assert_uint_eq(waiter->wait_kind, LGR_WAIT_CONDITION);
    ck_assert_uint_eq(waiter->to, (uintptr_t)&condition);
    ck_assert_uint_eq(waiter->from, lge_thread_serial(threads[0]));
    ck_assert_uint_ne(waiter->held_context, 0);
    ck_assert_uint_ne(waiter->request_context, 0);
    ck_assert_uint_ne(waiter->since_realtime_ns, 0);
    ck_assert_uint_eq(joiner->wait_kind, LGR_WAIT_JOIN);
    ck_assert_uint_eq(joiner->to, lge_thread_serial(threads[1]));
    ck_assert_uint_eq(joiner->from, 0);
    ck_assert_uint_eq(sleeping, 2);
}
END_TEST

START_TEST(told_once) {
    start(2);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(join(0, 1, false));
    ck_assert(lge_wait_again(threads[0]));
    ck_assert(lge_wait_again(threads[1]));
    check_stall(2);
}
END_TEST

START_TEST(the_only_thread) {
    start(1);
    ck_assert(wait_condition(0, mutex_of(0), true));
    check_stall(1);
}
END_TEST

START_TEST(a_barrier_that_is_short_of_one) {
    start(2);
    ck_assert(!lge_wait_barrier(threads[0], &all_here, &all_here, 0x4711, 0));
    ck_assert(lge_wait_barrier(threads[1], &all_here, &all_here, 0x4712, 0));
    check_stall(2);
}
END_TEST

START_TEST(a_semaphore_that_nobody_posts) {
    start(2);
    struct lge_request request = request_of(mutex_of(1));
    request.kind = LGR_LOCK_SEMAPHORE;
    ck_assert(!lge_wait_signal(threads[1], &request));
    ck_assert(join(0, 1, false));
    check_stall(2);
    ck_assert_uint_eq(edge_of(1)->wait_kind, LGR_WAIT_LOCK);
    ck_assert_uint_eq(edge_of(1)->to, request.id);
}
END_TEST

START_TEST(a_lock_whose_owner_waits) {
    start(3);
    uint64_t lock = mutex_of(0);
    engine_take(threads[0], lock);
    struct lge_request request = request_of(lock), semaphore = request_of(mutex_of(0));
    int owner = (int)lge_thread_tid(threads[0]);
    semaphore.kind = LGR_LOCK_SEMAPHORE;
    semaphore.id = lge_lock_id_new(threads[0], LGE_CLASS_NONE);
    lge_semaphore_created(semaphore.id, &condition, 1, false); /* a lock, of somebody who never posts */
    ck_assert(!lge_wait_signal(threads[0], &semaphore));
    ck_assert(!lge_wait_begin(threads[1], &request, &owner));
    ck_assert(!lge_wait_again(threads[1]));
    ck_assert(join(2, 1, false));
    check_stall(3);
    ck_assert_uint_eq(edge_of(0)->held_count, 1);
}
END_TEST

START_TEST(the_last_one_ends) {
    start(2);
    ck_assert(!wait_condition(0, mutex_of(0), true));
    ck_assert(!lge_stall_near());
    lge_thread_end(threads[1]);
    ck_assert(lge_stall_near());
    check_silence();
    ck_assert(lge_stall_look_last());
    check_stall(1);
}
END_TEST

/* Who holds in its wait what another one waits for: these two. */
START_TEST(a_hold_during_the_wait_is_a_deadlock) {
    start(3);
    uint64_t outer = engine_lock(threads[0], "outer"), inner = engine_lock(threads[0], "inner");
    int owner = (int)lge_thread_tid(threads[0]);
    engine_take(threads[0], outer);
    ck_assert(!wait_condition(0, inner, true));
    struct lge_request request = request_of(outer);
    ck_assert(!lge_wait_begin(threads[1], &request, &owner));
    ck_assert(!lge_wait_again(threads[1]));
    ck_assert(join(2, 1, false));
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_DEADLOCK);
    ck_assert_uint_eq(engine_seen.last.edge_count, 2);
    ck_assert_uint_eq(edge_of(0)->from, outer);
    ck_assert_uint_eq(edge_of(0)->wait_kind, LGR_WAIT_CONDITION);
    ck_assert_uint_eq(edge_of(1)->to, outer);
}
END_TEST

/* ---- what is not ---- */

START_TEST(one_that_runs) {
    start(3);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
    ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(one_that_has_not_begun) {
    start(2);
    struct lge_thread *fresh = lge_thread_new(threads[0], 0, 0);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    lge_thread_abandon(fresh);
    ck_assert(lge_wait_again(threads[0]));
}
END_TEST

START_TEST(one_with_a_limit) {
    start(2);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, true));
    check_silence();
}
END_TEST

START_TEST(a_condition_wait_with_a_limit) {
    start(2);
    uint64_t lock = mutex_of(1);
    engine_take(threads[1], lock);
    ck_assert(!wait_condition(1, mutex_of(1), false));
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(one_that_was_signalled) {
    start(2);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    signalled = 1; /* and has not run since */
    ck_assert(!join(0, 1, false));
    check_silence();
    signalled = 0;
    ck_assert(lge_wait_again(threads[0]));
}
END_TEST

START_TEST(a_slot_that_is_left) {
    start(2);
    struct lge_request request = request_of(mutex_of(1));
    request.kind = LGR_LOCK_SEMAPHORE;
    ck_assert(!lge_wait_signal(threads[1], &request));
    slots_left = true;
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(a_semaphore_of_several_processes) {
    start(2);
    struct lge_request request = request_of(mutex_of(1));
    request.kind = LGR_LOCK_SEMAPHORE;
    request.attributes = LGR_LOCK_PSHARED;
    ck_assert(!lge_wait_signal(threads[1], &request));
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(a_barrier_at_which_all_are) {
    start(2);
    ck_assert(!lge_wait_barrier(threads[0], &all_here, &all_here, 0x4711, 0));
    all_here = 1;
    ck_assert(!lge_wait_barrier(threads[1], &all_here, &all_here, 0x4712, 0));
    check_silence();
}
END_TEST

START_TEST(a_thread_that_has_ended_is_joined) {
    start(3);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 2, false));
    lge_thread_end(threads[2]);
    ck_assert(!lge_stall_near());
    ck_assert(!lge_stall_look_last());
    check_silence();
}
END_TEST

START_TEST(a_join_that_libc_refuses) {
    start(3);
    ck_assert(!wait_condition(2, mutex_of(2), true));
    ck_assert(!join(1, 2, false));
    ck_assert(!join(0, 2, false)); /* one has it already */
    check_silence();
    lge_wait_end(threads[0]);
    lge_thread_detached(threads[1]);
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(one_that_was_cancelled) {
    start(2);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    threads[1]->cancelled_by = 1;
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(one_that_a_handler_interrupted) {
    start(2);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(lge_wait_suspend(threads[1]));
    lge_wait_resume(threads[1]);
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(a_lock_that_is_free) {
    start(2);
    struct lge_request request = request_of(mutex_of(0));
    int owner = 0;
    ck_assert(!lge_wait_begin(threads[1], &request, &owner));
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

/* The owner gives its mutex up in the wait that it is about to begin. */
START_TEST(a_mutex_that_is_about_to_be_given_up) {
    start(2);
    uint64_t lock = mutex_of(0);
    struct lge_request request = request_of(lock);
    int owner = (int)lge_thread_tid(threads[0]);
    engine_take(threads[0], lock);
    ck_assert(!lge_wait_begin(threads[1], &request, &owner));
    ck_assert(!lge_wait_again(threads[1]));
    engine_give(threads[0], lock);
    ck_assert(!wait_condition(0, lock, true));
    check_silence();
}
END_TEST

START_TEST(a_deadlock_says_it) {
    start(2);
    uint64_t lock = mutex_of(0);
    int owner = (int)lge_thread_tid(threads[0]);
    engine_take(threads[0], lock);
    struct lge_request request = request_of(lock);
    ck_assert(!lge_wait_begin(threads[1], &request, &owner));
    ck_assert(join(0, 1, false));
    ck_assert(lge_wait_again(threads[1]));
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_DEADLOCK);
}
END_TEST

START_TEST(somebody_else) {
    start(2);
    answers[0] = LGE_IN_COMPANY;
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
    ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(company_at_the_second_look) {
    start(2);
    answers[1] = answers[2] = answers[3] = LGE_IN_COMPANY;
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

static void signal_from_nowhere(void) { signalled = 1; }
static void go_on(void) {
    lge_wait_end(threads[1]);
    meanwhile = NULL;
}

START_TEST(a_signal_meanwhile) {
    start(2);
    meanwhile = signal_from_nowhere;
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
    ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(one_that_goes_on_meanwhile) {
    start(2);
    meanwhile = go_on;
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
    ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(one_that_does_not_sleep_yet) {
    start(2);
    answers[0] = answers[1] = LGE_UNSETTLED;
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(join(0, 1, false));
    check_stall(2);
    ck_assert_uint_ge(asked, 4);
}
END_TEST

START_TEST(one_that_never_sleeps) {
    start(2);
    for (int i = 0; i < 4; i++)
        answers[i] = LGE_UNSETTLED;
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(nobody_can_tell) {
    start(2);
    engine_config.company = NULL;
    engine_again();
    threads[0] = engine_thread(NULL);
    threads[1] = engine_thread(NULL);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
}
END_TEST

START_TEST(switched_off) {
    engine_config.severity_of_kind[LGR_KIND_STALL] = 255;
    start(2);
    engine_config.severity_of_kind[LGR_KIND_STALL] = 0;
    ck_assert(!wait_condition(1, mutex_of(1), true));
    ck_assert(!join(0, 1, false));
    check_silence();
    ck_assert_uint_eq(asked, 0);
}
END_TEST

/* ---- counting ---- */

static void check_census(uint64_t count, uint64_t waiting) {
    ck_assert_uint_eq(lge_census >> 32, count);
    ck_assert_uint_eq(lge_census & UINT32_MAX, waiting);
}

START_TEST(who_comes_goes_and_waits) {
    start(2);
    check_census(2, 0);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    check_census(2, 1);
    ck_assert(!wait_condition(1, mutex_of(1), true)); /* the first one was left by siglongjmp */
    check_census(2, 1);
    lge_wait_end(threads[1]);
    lge_wait_end(threads[1]);
    check_census(2, 0);
    ck_assert(!join(0, 1, true));
    check_census(2, 0);
    lge_wait_end(threads[0]);
    lge_thread_end(threads[1]);
    check_census(1, 0);
    lge_thread_joined(threads[0], threads[1], lge_thread_serial(threads[1]));
    check_census(1, 0);
    lge_thread_abandon(lge_thread_new(threads[0], 0, 0));
    check_census(1, 0);
}
END_TEST

START_TEST(a_forked_child_is_alone) {
    engine_forgets();
    start(2);
    ck_assert(!wait_condition(1, mutex_of(1), true));
    lge_threads_after_fork(threads[0], 77);
    lge_waits_after_fork(threads[0]);
    check_census(1, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_stall");
    TCase *told = engine_case(suite, "told");
    tcase_add_test(told, a_lost_signal_and_a_join);
    tcase_add_test(told, told_once);
    tcase_add_test(told, the_only_thread);
    tcase_add_test(told, a_barrier_that_is_short_of_one);
    tcase_add_test(told, a_semaphore_that_nobody_posts);
    tcase_add_test(told, a_lock_whose_owner_waits);
    tcase_add_test(told, the_last_one_ends);
    tcase_add_test(told, a_hold_during_the_wait_is_a_deadlock);
    TCase *silent = engine_case(suite, "silent");
    tcase_add_test(silent, one_that_runs);
    tcase_add_test(silent, one_that_has_not_begun);
    tcase_add_test(silent, one_with_a_limit);
    tcase_add_test(silent, a_condition_wait_with_a_limit);
    tcase_add_test(silent, one_that_was_signalled);
    tcase_add_test(silent, a_slot_that_is_left);
    tcase_add_test(silent, a_semaphore_of_several_processes);
    tcase_add_test(silent, a_barrier_at_which_all_are);
    tcase_add_test(silent, a_thread_that_has_ended_is_joined);
    tcase_add_test(silent, a_join_that_libc_refuses);
    tcase_add_test(silent, one_that_was_cancelled);
    tcase_add_test(silent, one_that_a_handler_interrupted);
    tcase_add_test(silent, a_lock_that_is_free);
    tcase_add_test(silent, a_mutex_that_is_about_to_be_given_up);
    tcase_add_test(silent, a_deadlock_says_it);
    tcase_add_test(silent, somebody_else);
    tcase_add_test(silent, company_at_the_second_look);
    tcase_add_test(silent, a_signal_meanwhile);
    tcase_add_test(silent, one_that_goes_on_meanwhile);
    tcase_add_test(silent, one_that_does_not_sleep_yet);
    tcase_add_test(silent, one_that_never_sleeps);
    tcase_add_test(silent, nobody_can_tell);
    tcase_add_test(silent, switched_off);
    TCase *counted = engine_case(suite, "counted");
    tcase_add_test(counted, who_comes_goes_and_waits);
    tcase_add_test(counted, a_forked_child_is_alone);
    return engine_run(suite);
}
