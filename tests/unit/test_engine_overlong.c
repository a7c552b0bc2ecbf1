/* Holds, heartbeats and blocking calls that last too long, by threads that are none:
 * the limits are a millisecond. */
#include <string.h>
#include <unistd.h>

#include "engine/blocked.h"
#include "engine/context.h"
#include "engine/heartbeat.h"
#include "engine/overlong.h"
#include "engine/wait.h"
#include "engine_support.h"

enum { LIMIT = 1000000, LONG_US = 15000, SITE = 0x7000 }; /* a coarse clock ticks each few ms */

static struct lge_thread *holder, *waiter;
static uint64_t queue;
static int owner;

static struct {
    unsigned count;
    struct lge_overlong last;
} told;

static void note(const struct lge_overlong *overlong) {
    told.count++;
    told.last = *overlong;
}

static void start_with(uint64_t exclusive, uint64_t shared) {
    engine_config.hold_limit_ns = exclusive;
    engine_config.hold_limit_shared_ns = shared;
    engine_config.on_overlong = note;
    engine_up();
    memset(&told, 0, sizeof told);
    holder = engine_thread(NULL);
    waiter = engine_thread(holder);
    queue = engine_lock(holder, "queue");
    owner = (int)lge_thread_tid(holder);
}
static void set_up(void) { start_with(LIMIT, 0); }

static const void *address_of(uint64_t id) { return (const void *)(uintptr_t)id; }
static void give(struct lge_thread *thread, uint64_t id) {
    lge_releasing(thread, address_of(id), SITE, 0);
    engine_give(thread, id);
}
static void take_shared(struct lge_thread *thread, uint64_t id) {
    struct lge_request request = engine_request(id);
    request.kind = LGR_LOCK_RWLOCK;
    request.mode = LGR_SHARED;
    lge_check(thread, &request);
    lge_acquired(thread, &request);
}

/* ---- holds ---- */

START_TEST(a_long_hold_is_told_at_its_release) {
    engine_take(holder, queue);
    usleep(LONG_US);
    give(holder, queue);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_uint_ge(told.last.lasted_ns, LONG_US * 1000);
    ck_assert(told.last.given_up && told.last.holder == 0);
    ck_assert_uint_eq(told.last.taken_at, engine_request(queue).site);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_HOLD_TOO_LONG);
    ck_assert_int_eq(engine_seen.last.severity, LGR_WARNING);
    ck_assert_uint_eq(engine_seen.last.reason_id, LIMIT / 1000000);
    ck_assert_uint_eq(engine_seen.last.edge_count, 1);
    ck_assert_uint_eq(engine_seen.edges[0].from, queue);
    ck_assert_uint_eq(engine_seen.edges[0].held_context, engine_request(queue).context);
    ck_assert_uint_eq(lge_context_get(engine_seen.edges[0].request_context)->frames[0], SITE);
}
END_TEST

START_TEST(one_place_is_one_finding) {
    for (int i = 0; i < 3; i++) {
        engine_take(holder, queue);
        usleep(LONG_US);
        give(holder, queue);
    }
    ck_assert_uint_eq(told.count, 3);
    ck_assert_uint_eq(engine_seen.count, 1);
}
END_TEST

START_TEST(each_mode_has_its_limit) {
    take_shared(holder, queue);
    usleep(LONG_US);
    give(holder, queue);
    ck_assert_uint_eq(told.count, 0);
    engine_down();
    start_with(0, LIMIT);
    take_shared(holder, queue);
    usleep(LONG_US);
    give(holder, queue);
    ck_assert_uint_eq(told.count, 1);
    uint64_t other = engine_lock(holder, "other");
    engine_take(holder, other);
    usleep(LONG_US);
    give(holder, other);
    ck_assert_uint_eq(told.count, 1);
}
END_TEST

START_TEST(a_hold_that_is_not_there_is_not_told) {
    engine_take(holder, queue);
    usleep(LONG_US);
    give(holder, queue);
    lge_releasing(holder, address_of(queue), SITE, 0);
    ck_assert_uint_eq(told.count, 1);
}
END_TEST

START_TEST(what_is_meant_to_be_long_is_not_told) {
    struct lge_request request = engine_request(queue);
    request.kind = LGR_LOCK_FILE;
    lge_acquired(holder, &request);
    usleep(LONG_US);
    give(holder, queue);
    ck_assert_uint_eq(told.count, 0);
}
END_TEST

START_TEST(who_waits_tells_of_a_hold_that_goes_on) {
    struct lge_request request = engine_request(queue);
    engine_take(holder, queue);
    lge_wait_begin(waiter, &request, &owner);
    ck_assert_uint_eq(lge_wait_left(waiter, 0), UINT64_MAX);
    usleep(LONG_US);
    for (int i = 0; i < 3; i++)
        lge_wait_again(waiter);
    ck_assert_uint_eq(told.count, 1);
    ck_assert(!told.last.given_up && told.last.holder == (uint32_t)owner);
    ck_assert_uint_eq(engine_seen.last.reason_id, LIMIT / 1000000 | LGR_HOLD_GOES_ON);
    ck_assert_uint_eq(engine_seen.edges[0].thread, lge_thread_serial(waiter));
    ck_assert_uint_eq(engine_seen.edges[1].thread, lge_thread_serial(holder));
    give(holder, queue); /* how long it was in the end is logged, the finding is there */
    ck_assert_uint_eq(told.count, 2);
    ck_assert_uint_eq(engine_seen.count, 1);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(who_waits_knows_when_to_look) {
    struct lge_request request = engine_request(queue);
    engine_down();
    start_with(UINT64_C(10000000000), 0);
    engine_take(holder, queue);
    lge_wait_begin(waiter, &request, &owner);
    lge_wait_again(waiter);
    uint64_t left = lge_wait_left(waiter, lgp_monotonic_ns());
    ck_assert_uint_gt(left, UINT64_C(5000000000));
    ck_assert_uint_le(left, UINT64_C(10000000001));
    ck_assert_uint_eq(told.count, 0);
    lge_wait_end(waiter);
}
END_TEST

/* Else the next slice were not cut for it, and the wait over before it was looked at. */
START_TEST(a_hold_that_was_told_leaves_the_limit_of_the_wait) {
    struct lge_request request = engine_request(queue);
    engine_down();
    engine_config.wait_limit_ns = UINT64_C(10000000000);
    start_with(LIMIT, 0);
    engine_take(holder, queue);
    lge_wait_begin(waiter, &request, &owner);
    usleep(LONG_US);
    lge_wait_again(waiter);
    ck_assert_uint_eq(told.count, 1);
    uint64_t left = lge_wait_left(waiter, lgp_monotonic_ns());
    ck_assert_uint_gt(left, UINT64_C(5000000000));
    ck_assert_uint_le(left, UINT64_C(10000000000));
    lge_wait_end(waiter);
    engine_config.wait_limit_ns = 0;
}
END_TEST

/* ---- blocking calls ---- */

START_TEST(the_newest_hold_that_counts_is_blocked_under) {
    uint64_t inner = engine_lock(holder, "inner"), allowed = engine_lock(holder, "allowed");
    ck_assert_ptr_null(lge_blocked_under(holder));
    engine_take(holder, queue);
    engine_take(holder, inner);
    engine_take(holder, allowed);
    lge_blocked_allow(holder, address_of(allowed));
    const struct lge_held *held = lge_blocked_under(holder);
    ck_assert_uint_eq(held->id, inner);
    lge_blocked_report(holder, held, LGR_BLOCKING_READ, SITE, 0);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_BLOCKED_UNDER_LOCK);
    ck_assert_int_eq(engine_seen.last.severity, LGR_WARNING);
    ck_assert_uint_eq(engine_seen.last.reason_id, LGR_BLOCKING_READ);
    ck_assert_uint_eq(engine_seen.edges[0].from, inner);
    ck_assert_uint_eq(engine_seen.edges[0].held_count, 3);
    lge_blocked_allow(holder, address_of(inner));
    lge_blocked_allow(holder, address_of(queue));
    ck_assert_ptr_null(lge_blocked_under(holder));
}
END_TEST

/* ---- heartbeats ---- */

static void promise(uint64_t limit_ns) {
    ck_assert(lge_heartbeat_promise(holder, "loop", limit_ns, SITE, 0));
}

START_TEST(a_missing_heartbeat_is_told_once) {
    ck_assert(!lge_heartbeats_expected());
    promise(LIMIT);
    ck_assert(lge_heartbeats_expected());
    ck_assert(!lge_heartbeat_promise(holder, "again", LIMIT, SITE, 0));
    engine_take(holder, queue);
    usleep(LONG_US);
    for (int i = 0; i < 3; i++)
        lge_heartbeats_look();
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_HEARTBEAT_MISSED);
    ck_assert_int_eq(engine_seen.last.severity, LGR_WARNING);
    ck_assert_uint_eq(engine_seen.last.reason_id, LIMIT / 1000000);
    ck_assert_uint_eq(engine_seen.edges[0].thread, lge_thread_serial(holder));
    ck_assert_uint_eq(engine_seen.edges[0].held_count, 1);
    ck_assert_uint_eq(engine_seen.edges[0].from, queue);
    ck_assert_uint_eq(lge_context_get(engine_seen.edges[0].request_context)->frames[0], SITE);
    lge_heartbeat_give(holder, SITE, 0); /* late, but told already */
    ck_assert_uint_eq(engine_seen.count, 1);
    engine_give(holder, queue);
}
END_TEST

START_TEST(who_waits_behind_it_is_told) {
    struct lge_request request = engine_request(queue);
    promise(LIMIT);
    engine_take(holder, queue);
    lge_wait_begin(waiter, &request, &owner);
    usleep(LONG_US);
    lge_wait_again(waiter);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_HEARTBEAT_MISSED);
    ck_assert_uint_eq(engine_seen.last.edge_count, 2);
    ck_assert_uint_eq(engine_seen.edges[1].thread, lge_thread_serial(waiter));
    ck_assert_uint_eq(engine_seen.edges[0].held_context, request.context);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(its_own_wait_says_where_it_is) {
    struct lge_request request = engine_request(queue);
    int other = (int)lge_thread_tid(waiter);
    engine_take(waiter, queue);
    promise(LIMIT);
    lge_wait_begin(holder, &request, &other);
    usleep(LONG_US);
    lge_wait_again(holder);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_HEARTBEAT_MISSED);
    ck_assert_uint_eq(engine_seen.last.reason_id >> LGR_HEARTBEAT_SHIFT, LGR_HEARTBEAT_WAITS);
    ck_assert_uint_eq(engine_seen.edges[0].request_context, request.context);
    lge_wait_end(holder);
}
END_TEST

START_TEST(who_looked_too_late_tells_itself) {
    promise(LIMIT);
    usleep(LONG_US);
    ck_assert(!lge_heartbeat_again(&holder->heartbeat, SITE));
    lge_heartbeat_give(holder, SITE + 1, 0);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_uint_eq(engine_seen.last.reason_id >> LGR_HEARTBEAT_SHIFT, LGR_HEARTBEAT_LATE);
    ck_assert_uint_eq(lge_context_get(engine_seen.edges[0].request_context)->frames[0], SITE + 1);
}
END_TEST

START_TEST(in_time_nothing_is_told) {
    promise(UINT64_C(1000) * LIMIT * 60);
    for (uintptr_t site = SITE; site < SITE + 20; site++)
        lge_heartbeat_give(holder, site, 0);
    ck_assert(lge_heartbeat_again(&holder->heartbeat, SITE + 19));
    ck_assert(!lge_heartbeat_again(&holder->heartbeat, SITE));
    usleep(LONG_US);
    lge_heartbeats_look();
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

START_TEST(without_a_promise_nothing_is_told) {
    ck_assert(!lge_heartbeat_again(&holder->heartbeat, SITE));
    lge_heartbeat_give(holder, SITE, 0);
    promise(LIMIT);
    ck_assert(lge_heartbeat_end(holder));
    ck_assert(!lge_heartbeat_end(holder));
    promise(LIMIT);
    lge_thread_end(holder);
    usleep(LONG_US);
    ck_assert(!lge_heartbeats_expected());
    lge_heartbeats_look();
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("too long");
    TCase *tests = tcase_create("too long");
    tcase_add_checked_fixture(tests, set_up, engine_down);
    tcase_add_test(tests, a_long_hold_is_told_at_its_release);
    tcase_add_test(tests, one_place_is_one_finding);
    tcase_add_test(tests, each_mode_has_its_limit);
    tcase_add_test(tests, a_hold_that_is_not_there_is_not_told);
    tcase_add_test(tests, what_is_meant_to_be_long_is_not_told);
    tcase_add_test(tests, who_waits_tells_of_a_hold_that_goes_on);
    tcase_add_test(tests, who_waits_knows_when_to_look);
    tcase_add_test(tests, a_hold_that_was_told_leaves_the_limit_of_the_wait);
    tcase_add_test(tests, the_newest_hold_that_counts_is_blocked_under);
    tcase_add_test(tests, a_missing_heartbeat_is_told_once);
    tcase_add_test(tests, who_waits_behind_it_is_told);
    tcase_add_test(tests, its_own_wait_says_where_it_is);
    tcase_add_test(tests, who_looked_too_late_tells_itself);
    tcase_add_test(tests, in_time_nothing_is_told);
    tcase_add_test(tests, without_a_promise_nothing_is_told);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    return engine_run(suite);
}
