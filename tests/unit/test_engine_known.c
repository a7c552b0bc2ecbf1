#include <pthread.h>

#include "engine/context.h"
#include "engine/known.h"
#include "engine/mix.h"
#include "engine_support.h"

/* Keys as the engine has them: mixed, never 0. */
static uint64_t key_of(uint64_t number) { return lge_mix(number, 99) | 1u << 20; }

enum { BELOW = 0x7777 }; /* what is held, in most tests */

START_TEST(a_key_is_known_once_inserted) {
    struct lge_thread *thread = engine_thread(NULL);
    ck_assert(!lge_known(thread, BELOW, key_of(1)));
    ck_assert(!lge_known_crowded(thread, BELOW, key_of(1)));
    lge_known_insert(thread, BELOW, key_of(1));
    ck_assert(lge_known(thread, BELOW, key_of(1)));
    ck_assert(lge_known_crowded(thread, BELOW, key_of(1)));
    ck_assert(!lge_known_crowded(thread, BELOW, key_of(2)));
    lge_known_clear(thread);
    ck_assert(!lge_known_crowded(thread, BELOW, key_of(1)));
}
END_TEST

START_TEST(growing_keeps_the_keys) {
    enum { MANY = 20000 };
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t first_mask = thread->known_mask;
    int kept = 0, seen_first = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        lge_known_insert(thread, BELOW, key_of(i));
        ck_assert(lge_known_crowded(thread, BELOW, key_of(i)));
    }
    for (uint64_t i = 0; i < MANY; i++) {
        kept += lge_known_crowded(thread, BELOW, key_of(i));
        seen_first += lge_known_at(thread, lge_known_far(thread, key_of(i)), key_of(i));
    }
    ck_assert_uint_gt(thread->known_mask, first_mask);
    ck_assert_uint_eq(thread->known_mask & (thread->known_mask + 1), 0);
    ck_assert_int_ge(kept, MANY - MANY / 200);
    ck_assert_int_ge(seen_first, MANY - MANY / 10); /* the fast look-up is the rule */
}
END_TEST

static uint64_t below_of(uint64_t number) { return lge_mix(number, 7); }

START_TEST(growth_ends) {
    struct lge_thread *thread = engine_thread(NULL);
    for (uint64_t i = 0; i < 800000; i++)
        lge_known_insert(thread, BELOW, key_of(i));
    ck_assert_uint_lt(thread->known_mask, 1u << 21);
    ck_assert(lge_known_crowded(thread, BELOW, key_of(799999)));
    int seen_first = 0; /* not full of old chains for ever */
    for (uint64_t i = 0; i < 10000; i++) {
        lge_known_insert(thread, below_of(i), key_of(1000000 + i));
        seen_first += lge_known(thread, below_of(i), key_of(1000000 + i));
    }
    ck_assert_int_ge(seen_first, 9500);
}
END_TEST

/* Keys with two homes in one line. */
static uint64_t crowding_key(uint64_t i) { return i << 32 | 0x40 | (i & 1); }

START_TEST(a_line_holds_sixteen) {
    struct lge_thread *thread = engine_thread(NULL);
    for (uint64_t i = 1; i <= 16; i++)
        lge_known_insert(thread, BELOW, crowding_key(i));
    for (uint64_t i = 1; i <= 16; i++)
        ck_assert(lge_known_crowded(thread, BELOW, crowding_key(i)));
    lge_known_insert(thread, BELOW, crowding_key(17));
    int kept = 0;
    for (uint64_t i = 1; i <= 17; i++)
        kept += lge_known_crowded(thread, BELOW, crowding_key(i));
    ck_assert_int_eq(kept, 16);
    ck_assert(lge_known(thread, BELOW, crowding_key(17)));
    ck_assert_uint_eq(thread->known_mask, 255);
}
END_TEST

/* In a large table what is locked below one hold is found in one line; keys of
 * a root with thousands below it are not lost. */
START_TEST(what_is_held_chooses_the_near_line) {
    enum { HOLDS = 2000, EACH = 6, ROOT = 4000 };
    struct lge_thread *thread = engine_thread(NULL);
    for (uint64_t i = 0; i < HOLDS * EACH; i++)
        lge_known_insert(thread, below_of(i / EACH), key_of(i));
    for (uint64_t i = 0; i < ROOT; i++)
        lge_known_insert(thread, BELOW, key_of(HOLDS * EACH + i));
    int near = 0, kept = 0, root = 0;
    for (uint64_t i = 0; i < HOLDS * EACH; i++) {
        near += lge_known(thread, below_of(i / EACH), key_of(i));
        kept += lge_known_crowded(thread, below_of(i / EACH), key_of(i));
        ck_assert_uint_eq((lge_known_near(thread, below_of(i / EACH), key_of(i)) ^
                           lge_known_near(thread, below_of(i / EACH), 0)) /
                              LGE_KNOWN_LINE,
                          0);
    }
    for (uint64_t i = 0; i < ROOT; i++)
        root += lge_known_crowded(thread, BELOW, key_of(HOLDS * EACH + i));
    ck_assert_int_ge(near, HOLDS * EACH * 8 / 10);
    ck_assert_int_ge(kept, HOLDS * EACH * 99 / 100);
    ck_assert_int_ge(root, ROOT * 99 / 100);
}
END_TEST

/* Locks made one after the other, taken at one place under one root: sixteen to a
 * line, and found there at the second look. */
START_TEST(neighbours_lie_side_by_side) {
    enum { MANY = 20000 };
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t first = engine_lock(thread, "row");
    for (uint64_t i = 0; i < MANY; i++)
        lge_known_insert(thread, BELOW, lge_chain_key(BELOW, first + i, LGR_EXCLUSIVE, 0x1234));
    ck_assert_uint_gt(thread->known_mask, MANY);
    int far = 0, lines = 0;
    uint64_t last = UINT64_MAX;
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t key = lge_chain_key(BELOW, first + i, LGR_EXCLUSIVE, 0x1234);
        uint64_t slot = lge_known_far(thread, key);
        far += lge_known_at(thread, slot, key);
        lines += slot / LGE_KNOWN_LINE != last;
        last = slot / LGE_KNOWN_LINE;
    }
    ck_assert_int_ge(far, MANY * 99 / 100);
    ck_assert_int_le(lines, MANY / LGE_KNOWN_LINE + 2);
}
END_TEST

START_TEST(keys_differ_in_what_is_compared) {
    enum { MANY = 4000 };
    static uint32_t tags[2 * MANY];
    for (uint64_t i = 0; i < MANY; i++) {
        tags[2 * i] = lge_known_tag(lge_chain_key(BELOW, 100 + i, LGR_EXCLUSIVE, 0x1234));
        tags[2 * i + 1] = lge_known_tag(lge_chain_key(BELOW, 100 + i, LGR_SHARED, 0x1234));
    }
    for (int i = 0; i < 2 * MANY; i++)
        for (int j = 0; j < i; j++)
            if (tags[i] == tags[j])
                ck_abort_msg("chains %d and %d look alike", i, j);
}
END_TEST

/* Where others are locked under it, in a large table only. */
START_TEST(a_plain_site_becomes_outer) {
    enum { MANY = 20000 };
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t root = engine_lock(thread, "root");
    engine_take(thread, root);
    uintptr_t site = thread->top->site;
    atomic_store(lge_site(site), LGE_SITE_PLAIN);
    lge_known_insert(thread, thread->top->key, key_of(1));
    ck_assert(lge_site_plain(site));
    for (uint64_t i = 2; i < MANY; i++)
        lge_known_insert(thread, thread->top->key, key_of(i));
    ck_assert(!lge_site_plain(site));
    ck_assert(!lge_site_wrapper(site));
    ck_assert(!lge_site_wants_context(site));
    ck_assert_uint_eq(lge_context_at_site(thread, site, 0), 0);
    atomic_store(lge_site(site), LGE_SITE_WRAPPER);
    lge_known_insert(thread, thread->top->key, key_of(MANY));
    ck_assert(lge_site_wrapper(site));
}
END_TEST

START_TEST(growing_brings_nothing_back) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t first_mask = thread->known_mask;
    for (uint64_t i = 0; i < 40; i++)
        lge_known_insert(thread, BELOW, key_of(i));
    lge_known_clear(thread);
    for (uint64_t i = 40; i < 200; i++)
        lge_known_insert(thread, BELOW, key_of(i));
    ck_assert_uint_gt(thread->known_mask, first_mask);
    for (uint64_t i = 0; i < 200; i++)
        ck_assert(lge_known_crowded(thread, BELOW, key_of(i)) == (i >= 40));
}
END_TEST

START_TEST(clearing_and_coming_again_is_no_growth) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t first_mask = thread->known_mask;
    for (int round = 0; round < 100; round++) {
        for (uint64_t i = 0; i < 40; i++)
            lge_known_insert(thread, BELOW, key_of(i));
        lge_known_clear(thread);
    }
    ck_assert_uint_eq(thread->known_mask, first_mask);
}
END_TEST

static _Atomic bool stop;

static void *clear_all(void *rounds) {
    while (!atomic_load(&stop)) {
        lge_known_clear_all();
        ++*(long *)rounds;
    }
    return NULL;
}

START_TEST(another_thread_may_clear) {
    struct lge_thread *thread = engine_thread(NULL), *other = engine_thread(NULL);
    lge_known_insert(other, BELOW, key_of(5));
    pthread_t clearer;
    long rounds = 0;
    atomic_store(&stop, false);
    ck_assert_int_eq(pthread_create(&clearer, NULL, clear_all, &rounds), 0);
    for (uint64_t i = 0; i < 50000; i++)
        lge_known_insert(thread, BELOW, key_of(i));
    atomic_store(&stop, true);
    pthread_join(clearer, NULL);
    lge_known_clear_all();
    for (uint64_t i = 0; i < 50000; i++)
        ck_assert(!lge_known_crowded(thread, BELOW, key_of(i)));
    ck_assert(!lge_known(other, BELOW, key_of(5)));
}
END_TEST

START_TEST(the_recent_ones_are_few) {
    struct lge_thread *thread = engine_thread(NULL);
    ck_assert(!lge_recent(thread, 7));
    lge_recent_insert(thread, 7);
    ck_assert(lge_recent(thread, 7));
    ck_assert(!lge_recent(thread, 7 + 512));
    lge_recent_insert(thread, 7 + 512);
    ck_assert(!lge_recent(thread, 7));
    lge_known_free(thread);
    ck_assert(!lge_recent(thread, 7 + 512));
    ck_assert(lge_known_start(thread));
}
END_TEST

START_TEST(a_known_chain_is_not_looked_at_again) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t a = engine_lock(thread, "a"), b = engine_lock(thread, "b");
    struct lge_figures once, twice;
    engine_nest(thread, a, b);
    lge_figures(&once);
    engine_take(thread, a);
    struct lge_request request = engine_request(b);
    ck_assert(lge_known(
        thread, thread->top->key,
        lge_chain_key(thread->top->key, b, LGR_EXCLUSIVE, lge_place(request.site, request.context))));
    engine_give(thread, a);
    engine_nest(thread, a, b);
    lge_figures(&twice);
    ck_assert_uint_eq(once.edges, 1);
    ck_assert_uint_eq(twice.edges, 1);
    ck_assert_uint_eq(once.dependencies, twice.dependencies);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_known");
    TCase *tests = engine_case(suite, "known");
    tcase_add_test(tests, a_key_is_known_once_inserted);
    tcase_add_test(tests, growing_keeps_the_keys);
    tcase_add_test(tests, growth_ends);
    tcase_add_test(tests, a_line_holds_sixteen);
    tcase_add_test(tests, what_is_held_chooses_the_near_line);
    tcase_add_test(tests, neighbours_lie_side_by_side);
    tcase_add_test(tests, keys_differ_in_what_is_compared);
    tcase_add_test(tests, a_plain_site_becomes_outer);
    tcase_add_test(tests, growing_brings_nothing_back);
    tcase_add_test(tests, clearing_and_coming_again_is_no_growth);
    tcase_add_test(tests, another_thread_may_clear);
    tcase_add_test(tests, the_recent_ones_are_few);
    tcase_add_test(tests, a_known_chain_is_not_looked_at_again);
    return engine_run(suite);
}
