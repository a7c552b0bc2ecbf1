#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "engine/author.h"
#include "engine/past.h"
#include "engine_support.h"
#include "platform/memory.h"

enum { SERIALS = 12, PASTS = 10 };

static uint32_t references(const struct lge_past *past) {
    return atomic_load_explicit(&past->references, memory_order_relaxed);
}

START_TEST(the_empty_past_knows_nobody) {
    ck_assert_ptr_null(lge_past_find(NULL, 1));
    ck_assert_ptr_null(lge_past_join(NULL, NULL, LGR_REASON_JOIN, 1));
    ck_assert_ptr_null(lge_past_keep(NULL));
    lge_past_drop(NULL);
}
END_TEST

START_TEST(joins_are_the_largest_times_of_both) {
    struct lge_past *pasts[PASTS] = {0};
    uint32_t times[PASTS][SERIALS] = {{0}};
    for (int step = 0; step < 5000; step++) {
        uint32_t to = engine_random(PASTS), from = engine_random(PASTS);
        uint32_t serial = engine_random(SERIALS), time = 1 + engine_random(50);
        struct lge_past *made;
        if (engine_random(2)) {
            made = lge_past_with(pasts[to], serial, time, LGR_REASON_CREATE, serial);
            if (times[to][serial] < time)
                times[to][serial] = time;
        } else {
            made = lge_past_join(pasts[to], pasts[from], LGR_REASON_NONE, 0);
            for (int i = 0; i < SERIALS; i++)
                if (times[to][i] < times[from][i])
                    times[to][i] = times[from][i];
        }
        lge_past_drop(pasts[to]);
        pasts[to] = made;
        for (uint32_t i = 0; i < SERIALS; i++) {
            const struct lge_past_entry *entry = lge_past_find(made, i);
            ck_assert_uint_eq(entry == NULL ? 0 : entry->time, times[to][i]);
            if (entry != NULL)
                ck_assert_uint_eq(entry->reason, LGR_REASON_CREATE);
        }
        for (uint32_t i = 1; made != NULL && i < made->count; i++)
            ck_assert_uint_lt(made->entries[i - 1].serial, made->entries[i].serial);
        if (step % 100 == 99) { /* anew, or all would cover all */
            lge_past_drop(pasts[to]);
            pasts[to] = NULL;
            memset(times[to], 0, sizeof times[to]);
        }
    }
    for (int i = 0; i < PASTS; i++)
        lge_past_drop(pasts[i]);
}
END_TEST

START_TEST(a_past_that_covers_the_other_is_shared) {
    struct lge_past *small = lge_past_with(NULL, 3, 5, LGR_REASON_CREATE, 1);
    struct lge_past *large = lge_past_with(small, 4, 5, LGR_REASON_CREATE, 1);
    struct lge_past *same = lge_past_join(large, small, LGR_REASON_JOIN, 9);
    ck_assert_ptr_eq(same, large);
    ck_assert_uint_eq(references(large), 2);
    ck_assert_ptr_eq(lge_past_join(large, NULL, LGR_REASON_JOIN, 9), large);
    ck_assert_ptr_eq(lge_past_join(large, large, LGR_REASON_JOIN, 9), large);
    ck_assert_uint_eq(references(large), 4);
    ck_assert_uint_eq(references(small), 1);
    struct lge_past *older = lge_past_with(large, 4, 4, LGR_REASON_CREATE, 1);
    ck_assert_ptr_eq(older, large);
    for (int i = 0; i < 5; i++)
        lge_past_drop(large);
    lge_past_drop(small);
}
END_TEST

START_TEST(only_what_is_new_gets_the_reason) {
    struct lge_past *mine = lge_past_with(NULL, 1, 10, LGR_REASON_CREATE, 71);
    struct lge_past *one = lge_past_with(NULL, 1, 9, LGR_REASON_CREATE, 72);
    struct lge_past *two = lge_past_with(one, 2, 4, LGR_REASON_CREATE, 73);
    struct lge_past *both = lge_past_join(mine, two, LGR_REASON_BARRIER, 80);
    ck_assert_uint_eq(both->count, 2);
    ck_assert_uint_eq(lge_past_find(both, 1)->reason, LGR_REASON_CREATE);
    ck_assert_uint_eq(lge_past_find(both, 1)->reason_id, 71);
    ck_assert_uint_eq(lge_past_find(both, 1)->time, 10);
    ck_assert_uint_eq(lge_past_find(both, 2)->reason, LGR_REASON_BARRIER);
    ck_assert_uint_eq(lge_past_find(both, 2)->reason_id, 80);
    struct lge_past *kept = lge_past_join(NULL, two, LGR_REASON_NONE, 0);
    ck_assert_uint_eq(lge_past_find(kept, 2)->reason_id, 73);
    lge_past_drop(kept);
    lge_past_drop(both);
    lge_past_drop(two);
    lge_past_drop(one);
    lge_past_drop(mine);
}
END_TEST

START_TEST(the_last_reference_frees) {
    uint64_t before = lgp_memory_used();
    struct lge_past *past = lge_past_with(NULL, 1, 1, LGR_REASON_CREATE, 0);
    ck_assert_ptr_eq(lge_past_keep(past), past);
    lge_past_drop(past);
    ck_assert_uint_gt(lgp_memory_used(), before);
    lge_past_drop(past);
    ck_assert_uint_eq(lgp_memory_used(), before);
}
END_TEST

/* ---- pruning while others begin and cease to be authors ---- */

enum { AUTHORS = 64 };
static _Atomic bool pruned_enough;

/* Of the even serials, one after the other comes and goes. */
static void *come_and_go(void *unused) {
    for (uint32_t serial = 0; !atomic_load_explicit(&pruned_enough, memory_order_relaxed);
         serial = (serial + 2) % AUTHORS) {
        lge_author_add(serial);
        lge_author_drop(serial);
    }
    return unused;
}

static struct lge_past *past_of_all(void) {
    struct lge_past *past = NULL;
    for (uint32_t serial = 0; serial < AUTHORS; serial++) {
        struct lge_past *more = lge_past_with(past, serial, 1, LGR_REASON_CREATE, 0);
        lge_past_drop(past);
        past = more;
    }
    return past;
}

/* Those who stay authors are kept, in order, whatever the others do meanwhile. */
static void check_pruned(const struct lge_past *past) {
    for (uint32_t serial = 1; serial < AUTHORS; serial += 2)
        ck_assert_ptr_nonnull(lge_past_find(past, serial));
    for (uint32_t i = 1; i < past->count; i++)
        ck_assert_uint_lt(past->entries[i - 1].serial, past->entries[i].serial);
}

START_TEST(pruning_keeps_who_stays) {
    pthread_t other;
    for (uint32_t serial = 1; serial < AUTHORS; serial += 2)
        lge_author_add(serial);
    atomic_store_explicit(&pruned_enough, false, memory_order_relaxed);
    ck_assert_int_eq(pthread_create(&other, NULL, come_and_go, NULL), 0);
    for (int round = 0; round < 5000; round++) {
        struct lge_past *past = lge_past_prune(past_of_all());
        check_pruned(past);
        lge_past_drop(past);
    }
    atomic_store_explicit(&pruned_enough, true, memory_order_relaxed);
    pthread_join(other, NULL);
    for (uint32_t serial = 1; serial < AUTHORS; serial += 2)
        lge_author_drop(serial);
}
END_TEST

START_TEST(without_authors_nothing_is_kept) {
    ck_assert_ptr_null(lge_past_prune(NULL));
    ck_assert_ptr_null(lge_past_prune(past_of_all()));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_past");
    TCase *tests = engine_case(suite, "past");
    tcase_add_test(tests, the_empty_past_knows_nobody);
    tcase_add_test(tests, joins_are_the_largest_times_of_both);
    tcase_add_test(tests, a_past_that_covers_the_other_is_shared);
    tcase_add_test(tests, only_what_is_new_gets_the_reason);
    tcase_add_test(tests, the_last_reference_frees);
    tcase_add_test(tests, pruning_keeps_who_stays);
    tcase_add_test(tests, without_authors_nothing_is_kept);
    return engine_run(suite);
}
