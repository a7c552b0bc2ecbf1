/* Order declared between names, keys of levels, and what is noted of single locks. */
#include "engine/declared_order.h"
#include "engine/level.h"
#include "engine/lock_class.h"
#include "engine/lock_note.h"
#include "engine_support.h"

static struct lge_thread *thread;
static uint64_t head, middle, tail;

static void set_up(void) {
    engine_up();
    thread = engine_thread(NULL);
    head = engine_lock(thread, "head");
    middle = engine_lock(thread, "middle");
    tail = engine_lock(thread, "tail");
}

static void expect_violation(uint64_t wanted, uint64_t held) {
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_LEVEL_VIOLATION);
    ck_assert_uint_eq(engine_seen.edges[0].from, wanted);
    ck_assert_uint_eq(engine_seen.edges[0].to, held);
}

START_TEST(against_it_is_told_at_once) {
    ck_assert(lge_declare_order("head", "tail"));
    engine_nest(thread, tail, head);
    expect_violation(head, tail);
}
END_TEST

START_TEST(what_follows_counts) {
    ck_assert(lge_declare_order("middle", "tail"));
    ck_assert(lge_declare_order("head", "middle"));
    engine_nest(thread, tail, head);
    expect_violation(head, tail);
}
END_TEST

START_TEST(right_and_undeclared_orders_are_silent) {
    ck_assert(lge_declare_order("head", "tail"));
    engine_nest(thread, head, tail);
    engine_nest(thread, middle, head);
    engine_nest(thread, tail, middle);
    for (size_t i = 0; i < engine_seen.count; i++)
        ck_assert_int_ne(engine_seen.last.kind, LGR_KIND_LEVEL_VIOLATION);
}
END_TEST

START_TEST(a_chain_known_before_is_looked_at_again) {
    engine_nest(thread, tail, head);
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert(lge_declare_order("head", "tail"));
    engine_nest(thread, tail, head);
    expect_violation(head, tail);
}
END_TEST

START_TEST(contradictions_are_refused) {
    ck_assert(lge_declare_order("a", "b"));
    ck_assert(lge_declare_order("b", "c"));
    ck_assert(lge_declare_order("a", "c"));
    ck_assert(!lge_declare_order("c", "a"));
    ck_assert(!lge_declare_order("b", "b"));
    ck_assert(lge_declare_order("x", "a"));
}
END_TEST

START_TEST(many_pairs) {
    char name[2][8] = {"a", "a"};
    for (int i = 0; i < 200; i++) {
        name[1 - i % 2][1] = (char)('!' + i % 90);
        name[1 - i % 2][2] = (char)('0' + i / 90);
        ck_assert(lge_declare_order(name[i % 2], name[1 - i % 2]));
    }
    ck_assert(!lge_declare_order(name[0], "a"));
}
END_TEST

/* ---- keys ---- */

static uint64_t keyed(uint64_t key) {
    uint64_t id = lge_lock_id_new(thread, lge_class_levelled("row", 10, true, false));
    ck_assert(lge_note_key(id, key));
    return id;
}

START_TEST(keys_ascend) {
    uint64_t low = keyed(1), high = keyed(UINT64_MAX);
    engine_nest(thread, low, high);
    ck_assert_uint_eq(engine_seen.count, 0);
    uint64_t first = keyed(3), second = keyed(4);
    engine_nest(thread, second, first);
    expect_violation(first, second);
}
END_TEST

START_TEST(equal_keys_do_not_nest) {
    uint64_t one = keyed(7), other = keyed(7);
    engine_nest(thread, one, other);
    expect_violation(other, one);
}
END_TEST

/* ---- notes ---- */

START_TEST(notes_go_with_their_lock) {
    uint32_t class_id = 0;
    ck_assert(!lge_noted_unpublished(head, &class_id));
    ck_assert(lge_note_key(head, 5) && lge_note_unpublished(head, 9) && lge_note_key(tail, 6));
    ck_assert(lge_noted_unpublished(head, &class_id));
    ck_assert_uint_eq(class_id, 9);
    ck_assert_uint_eq(lge_noted_key(head), 5);
    ck_assert(!lge_noted_unpublished(tail, &class_id));
    lge_lock_destroyed(head);
    ck_assert(!lge_noted_unpublished(head, &class_id));
    ck_assert_uint_eq(lge_noted_key(head), 0);
    ck_assert_uint_eq(lge_noted_key(tail), 6);
}
END_TEST

/* ---- classes of one name ---- */

START_TEST(a_name_and_a_place_are_a_class) {
    uint32_t one = lge_class_initialised_as("lock", 1), other = lge_class_initialised_as("lock", 2);
    ck_assert_uint_ne(one, other);
    ck_assert_uint_eq(lge_class_initialised_as("lock", 1), one);
    ck_assert_uint_ne(lge_class_named("lock"), one);
    ck_assert_str_eq(lge_class_get(one)->name, "lock");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("declared order");
    TCase *test = tcase_create("all");
    tcase_add_checked_fixture(test, set_up, engine_down);
    suite_add_tcase(suite, test);
    tcase_add_test(test, against_it_is_told_at_once);
    tcase_add_test(test, what_follows_counts);
    tcase_add_test(test, right_and_undeclared_orders_are_silent);
    tcase_add_test(test, a_chain_known_before_is_looked_at_again);
    tcase_add_test(test, contradictions_are_refused);
    tcase_add_test(test, many_pairs);
    tcase_add_test(test, keys_ascend);
    tcase_add_test(test, equal_keys_do_not_nest);
    tcase_add_test(test, notes_go_with_their_lock);
    tcase_add_test(test, a_name_and_a_place_are_a_class);
    return engine_run(suite);
}
