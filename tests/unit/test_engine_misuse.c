/* Misuse reports, and what is seen of other threads' holds. */
#include "engine/context.h"
#include "engine/destroyed.h"
#include "engine/holders.h"
#include "engine/misuse.h"
#include "engine_support.h"

static struct lge_thread *one, *two;
static uint64_t queue, ledger;

static void set_up(void) {
    engine_up();
    one = engine_thread(NULL);
    two = engine_thread(one);
    queue = engine_lock(one, "queue");
    ledger = engine_lock(one, "ledger");
}

static uint32_t place(uintptr_t address) { return lge_context_intern(&address, 1, false); }

static struct lge_misuse destroys(uint64_t lock) {
    return (struct lge_misuse){.kind = LGR_KIND_DESTROY_HELD,
                               .lock = lock,
                               .context = place(0x100),
                               .earlier_context = place(0x200)};
}

START_TEST(tells_the_call_and_the_earlier_place) {
    struct lge_misuse misuse = destroys(queue);
    misuse.other = ledger;
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_DESTROY_HELD);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_NONE);
    ck_assert_int_eq(engine_seen.last.severity, LGR_ERROR);
    ck_assert_uint_eq(engine_seen.last.edge_count, 1);
    const struct lge_finding_edge *call = &engine_seen.edges[0];
    ck_assert_uint_eq(call->from, queue);
    ck_assert_uint_eq(call->to, ledger);
    ck_assert_uint_eq(call->thread, lge_thread_serial(one));
    ck_assert_uint_eq(call->request_context, place(0x100));
    ck_assert_uint_eq(call->held_context, place(0x200));
}
END_TEST

START_TEST(names_the_other_thread) {
    struct lge_misuse misuse = destroys(queue);
    misuse.earlier_thread = lge_thread_serial(two);
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.last.edge_count, 2);
    ck_assert_uint_eq(engine_seen.edges[1].thread, lge_thread_serial(two));
    ck_assert_uint_eq(engine_seen.edges[1].held_context, place(0x200));
    ck_assert_uint_eq(engine_seen.edges[1].held_count, 1);
}
END_TEST

START_TEST(is_no_other_thread_to_itself) {
    struct lge_misuse misuse = destroys(queue);
    misuse.earlier_thread = lge_thread_serial(one);
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.last.edge_count, 1);
}
END_TEST

START_TEST(carries_the_whole_held_stack) {
    engine_take(one, ledger);
    engine_take(one, queue);
    struct lge_misuse misuse = destroys(queue);
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.edges[0].held_count, 2);
    ck_assert_int_eq(lge_released(one, (void *)(uintptr_t)queue), true);
    ck_assert_int_eq(lge_released(one, (void *)(uintptr_t)ledger), true);
}
END_TEST

/* The same once; another lock of the class is the same, another place is not. */
START_TEST(is_reported_once_per_class_and_places) {
    struct lge_misuse misuse = destroys(queue);
    lge_report_misuse(one, &misuse);
    lge_report_misuse(two, &misuse);
    misuse.lock = engine_lock(two, "queue");
    lge_report_misuse(two, &misuse);
    ck_assert_uint_eq(engine_seen.count, 1);
    misuse.lock = ledger;
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, 2);
    misuse.context = place(0x101);
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, 3);
    misuse.earlier_context = place(0x201);
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, 4);
    misuse.kind = LGR_KIND_DESTROY_WAITED;
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, 5);
    misuse.detail = 22;
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, 6);
}
END_TEST

START_TEST(is_told_again_when_graver) {
    struct lge_misuse misuse = destroys(queue);
    misuse.severity = LGR_NOTE;
    lge_report_misuse(one, &misuse);
    ck_assert_int_eq(engine_seen.last.severity, LGR_NOTE);
    uint32_t problem = engine_seen.last.problem;
    misuse.severity = 0;
    lge_report_misuse(one, &misuse);
    ck_assert_int_eq(engine_seen.last.severity, LGR_ERROR);
    ck_assert_uint_eq(engine_seen.last.problem, problem);
    misuse.severity = LGR_WARNING;
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, 2);
}
END_TEST

/* { check.<kind>, severity of the case } -> severity, 0: nothing */
static const struct {
    uint8_t option, wanted;
    int found;
} grades[] = {
    {0, 0, LGR_ERROR},
    {0, LGR_NOTE, LGR_NOTE},
    {255, 0, 0},
    {255, LGR_NOTE, 0},
    {LGR_WARNING, 0, LGR_WARNING},
    {LGR_WARNING, LGR_NOTE, LGR_NOTE},
    {LGR_NOTE, LGR_WARNING, LGR_NOTE},
    {LGR_ERROR, LGR_NOTE, LGR_NOTE},
};
START_TEST(the_option_decides) {
    engine_config.severity_of_kind[LGR_KIND_DESTROY_HELD] = grades[_i].option;
    engine_again();
    set_up();
    ck_assert_int_eq(lge_misuse_wanted(LGR_KIND_DESTROY_HELD), grades[_i].option != 255);
    struct lge_misuse misuse = destroys(queue);
    misuse.severity = grades[_i].wanted;
    lge_report_misuse(one, &misuse);
    ck_assert_uint_eq(engine_seen.count, grades[_i].found != 0);
    if (grades[_i].found != 0)
        ck_assert_int_eq(engine_seen.last.severity, grades[_i].found);
    engine_config.severity_of_kind[LGR_KIND_DESTROY_HELD] = 0;
}
END_TEST

/* ---- other threads ---- */

static const void *address(uint64_t id) { return (const void *)(uintptr_t)id; }

START_TEST(a_holder_is_found_by_its_kernel_id) {
    engine_take(two, ledger);
    engine_take(two, queue);
    struct lge_holder holder = lge_holder_find(lge_thread_tid(two), address(queue));
    ck_assert_uint_eq(holder.serial, lge_thread_serial(two));
    ck_assert_uint_eq(holder.lock, queue);
    ck_assert_uint_ne(holder.context, 0);
    holder = lge_holder_find(lge_thread_tid(one), address(queue));
    ck_assert_uint_eq(holder.serial, lge_thread_serial(one));
    ck_assert_uint_eq(holder.lock, 0);
    ck_assert_uint_eq(lge_holder_find(0, address(queue)).serial, 0);
    ck_assert_uint_eq(lge_holder_find(123456, address(queue)).serial, 0);
    engine_give(two, queue);
    engine_give(two, ledger);
}
END_TEST

START_TEST(a_waiter_is_another_thread) {
    struct lge_request request = engine_request(queue);
    ck_assert_uint_eq(lge_waiter_find(one, queue).serial, 0);
    lge_wait_begin(two, &request, NULL);
    ck_assert_uint_eq(lge_waiter_find(one, queue).serial, lge_thread_serial(two));
    ck_assert_uint_eq(lge_waiter_find(one, queue).context, request.context);
    ck_assert_uint_eq(lge_waiter_find(two, queue).serial, 0);
    ck_assert_uint_eq(lge_waiter_find(one, ledger).serial, 0);
    lge_wait_end(two);
    ck_assert_uint_eq(lge_waiter_find(one, queue).serial, 0);
}
END_TEST

static bool any(const struct lge_holder *holder) { return holder->lock != 0; }
static bool none(const struct lge_holder *holder) { return holder->lock == 0; }

START_TEST(holds_within_a_range) {
    engine_take(two, queue);
    const char *start = address(queue);
    ck_assert_uint_eq(lge_holder_within(start - 8, 9, any).serial, lge_thread_serial(two));
    ck_assert_uint_eq(lge_holder_within(start - 8, 8, any).serial, 0);
    ck_assert_uint_eq(lge_holder_within(start + 1, 8, any).serial, 0);
    ck_assert_uint_eq(lge_holder_within(start, 1, none).serial, 0);
    engine_give(two, queue);
}
END_TEST

START_TEST(the_newest_destroyed_locks_are_known) {
    struct lge_destroyed found, gone = {.address = address(8), .lock = queue, .site = 0x300, .thread = 2};
    ck_assert(!lge_destroyed_get(address(8), &found));
    lge_destroyed_put(&gone);
    ck_assert(lge_destroyed_get(address(8), &found));
    ck_assert_uint_eq(found.lock, queue);
    ck_assert_uint_ne(found.context, 0);
    gone.context = place(0x301);
    lge_destroyed_put(&gone);
    ck_assert(lge_destroyed_get(address(8), &found));
    ck_assert_uint_eq(found.context, place(0x301));
    ck_assert(!lge_destroyed_get(address(16), &found));
    lge_destroyed_unmapped(address(9), 4096);
    ck_assert(lge_destroyed_get(address(8), &found));
    lge_destroyed_unmapped(address(7), 4096);
    ck_assert(!lge_destroyed_get(address(8), &found));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_misuse");
    TCase *tests = tcase_create("misuse");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, set_up, engine_down);
    tcase_add_test(tests, tells_the_call_and_the_earlier_place);
    tcase_add_test(tests, names_the_other_thread);
    tcase_add_test(tests, is_no_other_thread_to_itself);
    tcase_add_test(tests, carries_the_whole_held_stack);
    tcase_add_test(tests, is_reported_once_per_class_and_places);
    tcase_add_test(tests, is_told_again_when_graver);
    tcase_add_loop_test(tests, the_option_decides, 0, sizeof grades / sizeof grades[0]);
    tcase_add_test(tests, a_holder_is_found_by_its_kernel_id);
    tcase_add_test(tests, a_waiter_is_another_thread);
    tcase_add_test(tests, holds_within_a_range);
    tcase_add_test(tests, the_newest_destroyed_locks_are_known);
    return engine_run(suite);
}
