/* Waits past their limit, by threads that are none: the limit is a millisecond, and
 * nobody waits but the test. */
#include <string.h>
#include <unistd.h>

#include "engine/context.h"
#include "engine/holders.h"
#include "engine/overdue.h"
#include "engine/semaphore.h"
#include "engine/wait.h"
#include "engine_support.h"
#include "platform/system.h"

enum { LIMIT = 1000000, LONG_US = 3000 };

static struct lge_thread *waiter, *holder, *third;
static uint64_t queue, ledger;
static int owner; /* of whatever mutex is waited for */

static struct {
    unsigned count;
    struct lge_overdue last;
} told;

static void note(const struct lge_overdue *overdue) {
    told.count++;
    told.last = *overdue;
}

static void start_with(uint64_t limit) {
    engine_config.wait_limit_ns = limit;
    engine_config.on_overdue = note;
    engine_up();
    memset(&told, 0, sizeof told);
    waiter = engine_thread(NULL);
    holder = engine_thread(waiter);
    third = engine_thread(waiter);
    queue = engine_lock(waiter, "queue");
    ledger = engine_lock(waiter, "ledger");
    owner = (int)lge_thread_tid(holder);
}
static void set_up(void) { start_with(LIMIT); }

static void begin(struct lge_thread *thread, uint64_t id) {
    struct lge_request request = engine_request(id);
    lge_wait_begin(thread, &request, &owner);
}

static uint64_t now(void) { return lgp_monotonic_ns(); }

static void pass(struct lge_thread *thread) {
    usleep(LONG_US);
    lge_wait_again(thread);
}

START_TEST(tells_who_holds_it_and_where) {
    engine_take(holder, queue);
    begin(waiter, queue);
    pass(waiter);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_uint_eq(told.last.lock, queue);
    ck_assert_uint_ge(told.last.waited_ns, LONG_US * 1000);
    ck_assert_uint_eq(told.last.holder, lge_thread_tid(holder));
    ck_assert_uint_eq(told.last.holder_known, lge_thread_serial(holder));
    ck_assert_uint_eq(told.last.taken_at, engine_request(queue).site);
    ck_assert_int_eq(told.last.holder_waits, LGR_WAIT_NONE);
    ck_assert_uint_eq(told.last.more_holders, 0);
    ck_assert_uint_eq(told.last.queue, 0);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_WAIT_TIMEOUT);
    ck_assert_int_eq(engine_seen.last.severity, LGR_WARNING);
    ck_assert_uint_eq(engine_seen.last.reason_id, LIMIT / 1000000);
    ck_assert_uint_eq(engine_seen.edges[0].from, queue);
    ck_assert_uint_eq(engine_seen.edges[0].request_context, engine_request(queue).context);
    ck_assert_uint_eq(engine_seen.edges[1].thread, lge_thread_serial(holder));
    ck_assert_uint_eq(engine_seen.edges[1].held_context, engine_request(queue).context);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(each_period_is_told_and_found_once) {
    engine_take(holder, queue);
    begin(waiter, queue);
    for (unsigned i = 1; i <= 3; i++) {
        pass(waiter);
        ck_assert_uint_ge(told.count, i);
        for (int look = 0; look < 1000; look++)
            lge_wait_again(waiter);
        ck_assert_uint_le(told.count, told.last.waited_ns / LIMIT);
    }
    ck_assert_uint_eq(engine_seen.count, 1);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(left_is_the_time_until_then) {
    start_with(UINT64_C(1000000000000));
    engine_take(holder, queue);
    begin(waiter, queue);
    uint64_t left = lge_wait_left(waiter, now());
    ck_assert_uint_le(left, UINT64_C(1000000000000));
    ck_assert_uint_ge(left, UINT64_C(900000000000));
    pass(waiter);
    ck_assert_uint_eq(told.count, 0);
    lge_wait_end(waiter);
    lge_wait_join(waiter, third, 1, 0, 0, false);
    ck_assert_uint_eq(lge_wait_left(waiter, now()), UINT64_MAX);
    lge_wait_end(waiter);
}
END_TEST

/* From when its limit was counted to when it was published is part of the call. */
START_TEST(a_call_that_gives_up_lasted_its_limit) {
    enum { CALL_MS = 5000, SHORTER_MS = 1 };
    start_with(60 * UINT64_C(1000000000));
    engine_take(holder, queue);
    begin(waiter, queue);
    lge_overdue_gave_up(waiter, CALL_MS);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_uint_ge(told.last.waited_ns, CALL_MS * UINT64_C(1000000));
    ck_assert_uint_lt(told.last.waited_ns, (CALL_MS + 1) * UINT64_C(1000000));
    lge_wait_end(waiter);
    begin(waiter, queue);
    usleep(LONG_US);
    lge_overdue_gave_up(waiter, SHORTER_MS);
    ck_assert_uint_eq(told.count, 2);
    ck_assert_uint_ge(told.last.waited_ns, LONG_US * 1000);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(no_limit_is_never) {
    start_with(0);
    engine_take(holder, queue);
    begin(waiter, queue);
    ck_assert_uint_eq(lge_wait_left(waiter, now()), UINT64_MAX);
    pass(waiter);
    ck_assert_uint_eq(told.count + engine_seen.count, 0);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(nobody_who_holds_it_is_told_later) {
    owner = 0;
    begin(waiter, queue);
    pass(waiter);
    ck_assert_uint_eq(told.count, 0);
    ck_assert_uint_eq(lge_wait_left(waiter, now()), 0);
    owner = (int)lge_thread_tid(holder);
    engine_take(holder, queue);
    lge_wait_again(waiter);
    ck_assert_uint_eq(told.count, 1);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(a_stranger_is_told_by_number) {
    owner = 77;
    begin(waiter, queue);
    pass(waiter);
    ck_assert_uint_eq(told.last.holder, 77);
    ck_assert_uint_eq(told.last.holder_known, 0);
    ck_assert_uint_eq(told.last.taken_at, 0);
    ck_assert_uint_eq(engine_seen.last.edge_count, 1);
    lge_wait_end(waiter);
}
END_TEST

/* It is the lock word, with bits above the id: somebody waits, the owner died. */
START_TEST(a_robust_mutex_names_its_holder_below_its_bits) {
    static const struct {
        uint32_t word, holder;
    } words[] = {{1u << 30, 0}, {3u << 30, 0}, {1u << 31, 0}, {1u << 31 | 77, 77}, {77, 77}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        told.count = 0;
        owner = (int)words[i].word;
        begin(waiter, queue);
        pass(waiter);
        ck_assert_uint_eq(told.count, words[i].holder != 0);
        ck_assert(words[i].holder == 0 || told.last.holder == words[i].holder);
        lge_wait_end(waiter);
    }
}
END_TEST

/* The hold was there when it was first seen; one that was taken anew was not. */
START_TEST(since_when_is_a_lower_bound) {
    engine_take(holder, queue);
    begin(waiter, queue);
    lge_wait_again(waiter);
    usleep(10000);
    lge_wait_again(waiter);
    ck_assert(!told.last.held_exactly);
    ck_assert_uint_ge(told.last.held_ns, 10000000);
    ck_assert_uint_le(told.last.held_ns, told.last.waited_ns);
    engine_give(holder, queue);
    engine_take(holder, queue);
    pass(waiter);
    ck_assert_uint_eq(told.last.held_ns, 0);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(a_bound_moves_with_its_hold) {
    engine_take(holder, ledger);
    engine_take(holder, queue);
    begin(waiter, queue);
    lge_wait_again(waiter);
    engine_give(holder, ledger); /* out of order */
    pass(waiter);
    ck_assert_uint_ge(told.last.held_ns, LONG_US * 1000);
    lge_wait_end(waiter);
}
END_TEST

START_TEST(the_holders_own_wait_and_the_queue) {
    int nobody = 0;
    struct lge_request wanted = engine_request(ledger);
    engine_take(holder, queue);
    lge_wait_begin(holder, &wanted, &nobody);
    begin(third, queue);
    begin(waiter, queue);
    pass(waiter);
    ck_assert_int_eq(told.last.holder_waits, LGR_WAIT_LOCK);
    ck_assert_uint_eq(told.last.holder_wants, ledger);
    ck_assert(!told.last.holder_at_condition);
    ck_assert_uint_eq(told.last.queue, 1);
    lge_wait_end(holder);
    static const _Atomic uint32_t signalled;
    struct lge_condition_wait condition = {.condition = &told, .signalled = &signalled};
    lge_wait_condition(holder, &wanted, &nobody, &condition);
    pass(waiter);
    ck_assert(told.last.holder_at_condition);
    lge_wait_end(holder);
    lge_wait_join(holder, third, 1, 0, 0, true);
    pass(waiter);
    ck_assert_int_eq(told.last.holder_waits, LGR_WAIT_JOIN);
    ck_assert(!told.last.holder_at_condition);
    lge_wait_end(holder);
    lge_wait_end(third);
    lge_wait_end(waiter);
}
END_TEST

/* ---- without an owner field ---- */

static struct lge_request reads(uint64_t id, uint8_t mode, uint8_t flags) {
    struct lge_request request = engine_request(id);
    request.kind = LGR_LOCK_RWLOCK;
    request.mode = mode;
    request.flags = flags;
    return request;
}

static unsigned told_for(const struct lge_request *request) {
    told.count = 0;
    owner = 0;
    lge_wait_begin(waiter, request, &owner);
    pass(waiter);
    lge_wait_end(waiter);
    return told.count;
}

START_TEST(readers_are_found_in_held_stacks) {
    struct lge_request shared = reads(queue, LGR_SHARED, 0), exclusive = reads(queue, LGR_EXCLUSIVE, 0);
    lge_acquired(holder, &shared);
    lge_acquired(third, &shared);
    ck_assert_uint_eq(told_for(&exclusive), 1);
    ck_assert_uint_eq(told.last.more_holders, 1);
    ck_assert_uint_eq(engine_seen.edges[1].held_count, 1); /* the holds themselves are gone with the report */
    ck_assert_uint_eq(told_for(&shared), 0);               /* readers do not keep it out */
    struct lge_request queued = reads(queue, LGR_SHARED, LGE_WRITER_PREFERRED);
    ck_assert_uint_eq(told_for(&queued), 1);
    struct lge_request unknown = reads(queue, LGR_EXCLUSIVE, LGE_HOLDERS_UNKNOWN);
    ck_assert_uint_eq(told_for(&unknown), 0);
}
END_TEST

static struct lge_request of_semaphore(uint64_t id) {
    struct lge_request request = engine_request(id);
    lge_semaphore_request(&request, lge_semaphore_facts_of(id));
    return request;
}
static uint64_t semaphore(uint32_t slots) {
    uint64_t id = engine_lock(waiter, "semaphore");
    lge_semaphore_created(id, (const void *)(uintptr_t)id, slots, false);
    return id;
}
static void take(struct lge_thread *thread, uint64_t id) {
    struct lge_request request = of_semaphore(id);
    lge_semaphore_acquired(thread, &request);
}
static void give(struct lge_thread *thread, uint64_t id) {
    lge_semaphore_posting(thread, id, (const void *)(uintptr_t)id);
}
static void prove(struct lge_thread *thread, uint64_t id) {
    for (int i = 0; i < LGE_SEMAPHORE_PROOF; i++) {
        take(thread, id);
        give(thread, id);
    }
}
static unsigned told_for_semaphore(uint64_t id) {
    struct lge_request request = of_semaphore(id);
    told.count = 0;
    lge_wait_begin(waiter, &request, NULL);
    pass(waiter);
    lge_wait_end(waiter);
    return told.count;
}

START_TEST(one_slot_of_another_thread_must_be_proven) {
    uint64_t id = semaphore(1);
    take(holder, id);
    ck_assert_uint_eq(told_for_semaphore(id), 0); /* it may be a signal that was there at the start */
    give(holder, id);
    prove(third, id);
    take(holder, id);
    ck_assert_uint_eq(told_for_semaphore(id), 1);
    give(third, id); /* it signals after all */
    ck_assert_uint_eq(told_for_semaphore(id), 0);
}
END_TEST

START_TEST(ones_own_slots_keep_nobody_out) {
    uint64_t id = semaphore(1);
    take(waiter, id);
    ck_assert_uint_eq(told_for_semaphore(id), 0);
}
END_TEST

START_TEST(several_slots_must_be_proven_and_all_held) {
    uint64_t id = semaphore(3);
    take(holder, id);
    take(third, id);
    take(waiter, id);
    ck_assert_uint_eq(told_for_semaphore(id), 0); /* places of a buffer, perhaps */
    give(third, id);
    prove(third, id);
    ck_assert_uint_eq(told_for_semaphore(id), 0); /* one is free */
    take(third, id);
    ck_assert_uint_eq(told_for_semaphore(id), 1);
    ck_assert_uint_eq(told.last.more_holders, 1);
}
END_TEST

/* ---- beside deadlocks ---- */

START_TEST(who_waits_behind_a_deadlock_is_told_and_not_found) {
    int holders_own = (int)lge_thread_tid(third), thirds = (int)lge_thread_tid(holder);
    struct lge_request first = engine_request(ledger), second = engine_request(queue);
    engine_take(holder, queue);
    engine_take(third, ledger);
    lge_wait_begin(holder, &first, &holders_own);
    lge_wait_again(holder);
    lge_wait_begin(third, &second, &thirds);
    lge_wait_again(third);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_DEADLOCK);
    size_t found = engine_seen.count;
    pass(third);
    ck_assert_uint_eq(told.count, 0);
    begin(waiter, queue);
    pass(waiter);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_uint_eq(engine_seen.count, found);
    lge_wait_end(waiter);
    lge_wait_end(third);
    lge_wait_end(holder);
}
END_TEST

/* ---- every step ---- */

static struct {
    unsigned count;
    enum lge_traced what[8];
    uint64_t ns[8];
} traced;

static void note_step(enum lge_traced what, uint64_t lock, const void *address, uint8_t kind, uint64_t ns) {
    ck_assert_int_eq(kind, engine_request(lock).kind);
    ck_assert_ptr_eq(address, (const void *)(uintptr_t)lock);
    traced.what[traced.count % 8] = what;
    traced.ns[traced.count++ % 8] = ns;
}

START_TEST(each_step_is_traced_with_its_time) {
    engine_config.on_traced = note_step;
    start_with(LIMIT);
    struct lge_request request = engine_request(queue);
    lge_check(holder, &request);
    usleep(2000);
    lge_acquired(holder, &request);
    begin(waiter, queue);
    pass(waiter);
    ck_assert(told.last.held_exactly);
    lge_wait_end(waiter);
    engine_give(holder, queue);
    lge_acquired(holder, &request); /* a trylock */
    engine_give(holder, queue);
    engine_config.on_traced = NULL;
    ck_assert_uint_eq(traced.count, 5);
    static const enum lge_traced steps[] = {LGE_TRACED_REQUEST, LGE_TRACED_ACQUISITION, LGE_TRACED_RELEASE,
                                            LGE_TRACED_ACQUISITION, LGE_TRACED_RELEASE};
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(traced.what[i], steps[i]);
    ck_assert_uint_ge(traced.ns[1], 2000000);
    ck_assert_uint_ge(traced.ns[2], LONG_US * 1000);
    ck_assert_uint_eq(traced.ns[3], 0);
}
END_TEST

static Suite *overdue_suite(void) {
    Suite *suite = suite_create("engine overdue");
    TCase *tests = tcase_create("waits");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, engine_down);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, tells_who_holds_it_and_where);
    tcase_add_test(tests, each_period_is_told_and_found_once);
    tcase_add_test(tests, nobody_who_holds_it_is_told_later);
    tcase_add_test(tests, a_stranger_is_told_by_number);
    tcase_add_test(tests, a_robust_mutex_names_its_holder_below_its_bits);
    tcase_add_test(tests, since_when_is_a_lower_bound);
    tcase_add_test(tests, a_bound_moves_with_its_hold);
    tcase_add_test(tests, the_holders_own_wait_and_the_queue);
    tcase_add_test(tests, readers_are_found_in_held_stacks);
    tcase_add_test(tests, one_slot_of_another_thread_must_be_proven);
    tcase_add_test(tests, ones_own_slots_keep_nobody_out);
    tcase_add_test(tests, several_slots_must_be_proven_and_all_held);
    tcase_add_test(tests, who_waits_behind_a_deadlock_is_told_and_not_found);
    TCase *own = tcase_create("with another configuration");
    tcase_add_checked_fixture(own, NULL, engine_down);
    suite_add_tcase(suite, own);
    tcase_add_test(own, left_is_the_time_until_then);
    tcase_add_test(own, a_call_that_gives_up_lasted_its_limit);
    tcase_add_test(own, no_limit_is_never);
    tcase_add_test(own, each_step_is_traced_with_its_time);
    return suite;
}

int main(void) { return engine_run(overdue_suite()); }
