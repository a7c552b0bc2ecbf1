#include "engine/check.h"
#include "engine/collect.h"
#include "engine/graph.h"
#include "engine_support.h"
#include "platform/memory.h"

/* The lock_alive callback: asked how often, and which are gone. */
static uint64_t asked, dead_up_to;

static bool is_alive(const void *address, uint64_t id, uint8_t kind, uint8_t attributes) {
    ck_assert_uint_eq((uintptr_t)address, id);
    ck_assert_uint_eq(kind, LGR_LOCK_MUTEX);
    ck_assert_uint_eq(attributes, 0);
    asked++;
    return id > dead_up_to;
}

static struct lge_thread *thread;
static uint64_t root, first_leaf, last_leaf;

static void start(uint64_t max_memory) {
    engine_config.lock_alive = is_alive;
    engine_config.max_memory = max_memory;
    engine_again();
    asked = dead_up_to = 0;
    thread = engine_thread(NULL);
    root = engine_lock(thread, "root");
    first_leaf = engine_lock(thread, "leaf");
    last_leaf = first_leaf - 1;
    engine_take(thread, root);
}

/* Fresh locks, one after another, under the root. */
static void request_leaves(size_t count) {
    uint32_t class = lge_class_named("leaf");
    struct lge_request request = engine_request(first_leaf);
    for (size_t i = 0; i < count; i++) {
        last_leaf = i == 0 && last_leaf < first_leaf ? first_leaf : lge_lock_id_new(thread, class);
        request.id = last_leaf;
        request.address = (void *)(uintptr_t)last_leaf;
        lge_check(thread, &request);
    }
}

static uint64_t degraded(void) {
    struct lge_figures figures;
    lge_figures(&figures);
    return figures.degraded;
}

START_TEST(dead_locks_go_when_their_number_doubled) {
    start(0);
    request_leaves(65000);
    ck_assert_uint_eq(asked, 0);
    ck_assert_uint_eq(lge_locks_count(), 65001);
    dead_up_to = last_leaf; /* the root is of a class made earlier: smaller, too */
    request_leaves(600);
    ck_assert_uint_eq(asked, 65536);
    ck_assert_uint_lt(lge_locks_count(), 700);
    ck_assert_ptr_null(lge_lock_find(first_leaf));
    ck_assert_ptr_nonnull(lge_lock_find(last_leaf));
    ck_assert_uint_eq(degraded(), 0);
}
END_TEST

/* Few locks may hold much: a past for each of their dependencies. */
START_TEST(dead_locks_go_when_memory_doubled) {
    enum { MUCH = 32 << 20 };
    start(0);
    request_leaves(1000);
    ck_assert_uint_eq(asked, 0);
    void *much = lgp_alloc(MUCH);
    dead_up_to = last_leaf;
    request_leaves(2);
    ck_assert_uint_ge(asked, 1000);
    ck_assert_uint_lt(lge_locks_count(), 10);
    uint64_t once = asked;
    request_leaves(1000);
    ck_assert_uint_eq(asked, once);
    lgp_free(much, MUCH);
}
END_TEST

START_TEST(living_locks_are_asked_about_once_per_doubling) {
    start(0);
    request_leaves(80000);
    ck_assert_uint_eq(asked, 65536);
    ck_assert_uint_eq(lge_locks_count(), 80001);
    request_leaves(60000);
    ck_assert_uint_eq(asked, 65536 + 131072);
    ck_assert_ptr_nonnull(lge_lock_find(first_leaf));
}
END_TEST

START_TEST(without_the_callback_all_are_alive) {
    start(0);
    engine_config.lock_alive = NULL;
    lge_collect_start(&engine_config);
    request_leaves(70000);
    ck_assert_uint_eq(lge_locks_count(), 70001);
    ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(a_spent_budget_drops_the_older_leaves) {
    uint64_t budget = lgp_memory_used() + (6u << 20);
    start(budget);
    request_leaves(40000);
    ck_assert_uint_eq(degraded(), LGR_DEGRADED_MEMORY);
    ck_assert_uint_le(lgp_memory_used(), budget + budget / 8);
    ck_assert_ptr_null(lge_lock_find(first_leaf));
    ck_assert_ptr_nonnull(lge_lock_find(last_leaf));
    ck_assert_ptr_nonnull(lge_lock_find(root));
    ck_assert_uint_eq(lge_unwrapped(), 0);
    struct lge_thread *other = engine_thread(NULL); /* checking goes on */
    engine_nest(other, last_leaf, root);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
}
END_TEST

START_TEST(dead_locks_go_before_living_leaves) {
    uint64_t budget = lgp_memory_used() + (6u << 20);
    start(budget);
    request_leaves(100);
    uint64_t kept = last_leaf;
    request_leaves(1);
    while (asked == 0) {
        dead_up_to = last_leaf;
        if (lgp_memory_used() > budget)
            dead_up_to = kept - 50;
        request_leaves(1);
    }
    ck_assert_uint_eq(lge_degraded(), LGR_DEGRADED_MEMORY);
    ck_assert_ptr_null(lge_lock_find(kept - 50));
}
END_TEST

START_TEST(what_is_alive_may_spend_the_budget) {
    start(0);
    request_leaves(100);
    engine_config.max_memory = 1600; /* far less than is used */
    lge_collect_start(&engine_config);
    struct lge_thread *other = engine_thread(NULL);
    engine_nest(other, last_leaf, root);
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert_uint_eq(lge_unwrapped(), 1);
    ck_assert_uint_eq(lge_degraded(), LGR_DEGRADED_MEMORY);
    uint64_t once = asked;
    ck_assert_uint_gt(once, 0);
    ck_assert_ptr_nonnull(lge_lock_find(root)); /* not a leaf */
    ck_assert(!lge_collect_room());             /* nothing grew: no second look */
    ck_assert_uint_eq(asked, once);
    engine_config.max_memory = 0;
    lge_collect_start(&engine_config);
    ck_assert(lge_collect_room());
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_collect");
    TCase *tests = engine_case(suite, "collect");
    tcase_add_test(tests, dead_locks_go_when_their_number_doubled);
    tcase_add_test(tests, dead_locks_go_when_memory_doubled);
    tcase_add_test(tests, living_locks_are_asked_about_once_per_doubling);
    tcase_add_test(tests, without_the_callback_all_are_alive);
    tcase_add_test(tests, a_spent_budget_drops_the_older_leaves);
    tcase_add_test(tests, dead_locks_go_before_living_leaves);
    tcase_add_test(tests, what_is_alive_may_spend_the_budget);
    return engine_run(suite);
}
