#include "engine/orphan.h"
#include "engine_support.h"

/* What others held when the process forked, as the child sees it. */

static bool really_held;
static bool is_held(const struct lge_held *held, uint32_t tid) {
    ck_assert_ptr_nonnull(held->address);
    ck_assert_uint_ne(tid, 0);
    return really_held;
}

static struct lge_thread *self, *other;
static uint64_t held, alike, unlike;

static void start(void) {
    self = engine_thread(NULL);
    other = engine_thread(NULL);
    held = engine_lock(other, "account");
    alike = engine_lock(self, "account");
    unlike = engine_lock(self, "journal");
    really_held = true;
}

static void fork_now(void) {
    lge_orphans_collect(self, is_held);
    lge_orphans_note(self, 0, 0);
}

static void expect(size_t count, enum lgr_severity severity) {
    ck_assert_uint_eq(engine_seen.count, count);
    ck_assert_uint_eq(engine_seen.last.kind, LGR_KIND_FORK_HELD);
    ck_assert_uint_eq(engine_seen.last.severity, severity);
    ck_assert_uint_eq(engine_seen.last.edges[0].from, held);
}

START_TEST(noted_only) {
    start();
    engine_take(other, held);
    fork_now();
    expect(1, LGR_NOTE);
    engine_take(self, unlike);
    ck_assert_uint_eq(engine_seen.count, 1);
}
END_TEST

START_TEST(another_of_its_class) {
    start();
    engine_take(other, held);
    fork_now();
    engine_take(self, alike);
    expect(2, LGR_WARNING);
    engine_give(self, alike);
    engine_take(self, alike);
    ck_assert_uint_eq(engine_seen.count, 2);
}
END_TEST

START_TEST(that_very_lock) {
    start();
    engine_take(other, held);
    fork_now();
    struct lge_request request = engine_request(held);
    lge_check(self, &request);
    expect(2, LGR_ERROR);
}
END_TEST

START_TEST(with_a_limit) {
    start();
    engine_take(other, held);
    fork_now();
    struct lge_request request = engine_request(held);
    request.flags |= LGE_TIMED;
    lge_check(self, &request);
    expect(2, LGR_ERROR);
}
END_TEST

/* Somebody unlocked it for the thread that is not there. */
START_TEST(given_up_since) {
    start();
    engine_take(other, held);
    fork_now();
    really_held = false;
    struct lge_request request = engine_request(held);
    lge_check(self, &request);
    ck_assert_uint_eq(engine_seen.count, 1);
}
END_TEST

START_TEST(own_holds_and_free_locks) {
    start();
    engine_take(self, held);
    fork_now();
    ck_assert_uint_eq(lge_orphans, 0);
    really_held = false;
    engine_take(other, unlike);
    fork_now();
    ck_assert_uint_eq(lge_orphans, 0);
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

START_TEST(shared_with_the_parent) {
    start();
    struct lge_request request = engine_request(held);
    request.attributes = LGR_LOCK_PSHARED;
    lge_acquired(other, &request);
    fork_now();
    ck_assert_uint_eq(lge_orphans, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine orphans");
    TCase *tests = engine_case(suite, "orphans");
    tcase_add_test(tests, noted_only);
    tcase_add_test(tests, another_of_its_class);
    tcase_add_test(tests, that_very_lock);
    tcase_add_test(tests, with_a_limit);
    tcase_add_test(tests, given_up_since);
    tcase_add_test(tests, own_holds_and_free_locks);
    tcase_add_test(tests, shared_with_the_parent);
    return engine_run(suite);
}
