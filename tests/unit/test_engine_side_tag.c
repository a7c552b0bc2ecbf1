#include <pthread.h>
#include <stdatomic.h>

#include "engine/identity.h"
#include "engine/regions.h"
#include "engine/side_tag.h"
#include "engine_support.h"

enum { MANY = 20000, CLASS_SHIFT = 40 };

/* Four bytes each, as spinlocks lie in an array. */
static int words[MANY];

/* An id that says which word it is for. */
static uint64_t id_of(size_t word, uint64_t life) { return (uint64_t)(word + 1) << CLASS_SHIFT | life; }

static size_t found(size_t words_known) {
    size_t count = 0;
    for (size_t i = 0; i < words_known; i++) {
        uint64_t id = lge_side_id(&words[i]);
        ck_assert(id == 0 || id == id_of(i, 1));
        count += id != 0;
    }
    return count;
}

static void put(size_t first, size_t last) {
    for (size_t i = first; i < last; i++)
        lge_side_put(&words[i], id_of(i, 1), i + 1);
}

START_TEST(a_tag_is_for_one_address) {
    ck_assert_uint_eq(lge_side_id(&words[1]), 0);
    lge_side_put(&words[1], id_of(1, 1), 1);
    ck_assert_uint_eq(lge_side_id(&words[1]), id_of(1, 1));
    for (size_t i = 2; i < MANY; i++)
        ck_assert_uint_eq(lge_side_id(&words[i]), 0);
    ck_assert_uint_eq(lge_side_id((const char *)&words[1] + 1), 0);
}
END_TEST

START_TEST(a_new_life_replaces_the_old_one) {
    lge_side_put(&words[1], id_of(1, 1), 1);
    lge_side_put(&words[1], id_of(1, 2), 1);
    ck_assert_uint_eq(lge_side_id(&words[1]), id_of(1, 2));
    lge_side_forget(&words[1]);
    ck_assert_uint_eq(lge_side_id(&words[1]), 0);
    lge_side_forget(&words[1]);
}
END_TEST

START_TEST(the_tags_grow_with_the_addresses) {
    put(0, MANY);
    for (size_t i = 0; i < MANY; i++) /* those before the last growth, as their next use does */
        lge_side_put(&words[i], id_of(i, 1), MANY);
    ck_assert_uint_ge(found(MANY), MANY * 19 / 20);
    for (size_t i = 0; i < MANY; i += 2)
        lge_side_forget(&words[i]);
    for (size_t i = 0; i < MANY; i += 2)
        ck_assert_uint_eq(lge_side_id(&words[i]), 0);
    ck_assert_uint_ge(found(MANY), MANY * 19 / 40);
}
END_TEST

START_TEST(without_memory_they_only_get_crowded) {
    engine_config.max_memory = 1;
    engine_again();
    put(0, MANY);
    size_t known = found(MANY);
    ck_assert_uint_ge(known, 64);
    ck_assert_uint_le(known, 1024);
    ck_assert_uint_eq(lge_side_id(&words[MANY - 1]), id_of(MANY - 1, 1));
}
END_TEST

START_TEST(a_new_start_knows_nothing) {
    put(0, 64);
    lge_side_start();
    ck_assert_uint_eq(found(64), 0);
    put(0, MANY);
    lge_side_reset();
    ck_assert_uint_eq(found(MANY), 0);
}
END_TEST

/* Locks cache lines and pages apart are found as well as neighbours. */
START_TEST(no_distance_is_unlucky) {
    static const size_t distances[] = {8, 24, 40, 64, 4096, 65536};
    for (size_t d = 0; d < sizeof distances / sizeof distances[0]; d++) {
        enum { LOCKS = 64 };
        uintptr_t base = 0x7f0000000000 + d * 0x1234540;
        size_t count = 0;
        for (uintptr_t i = 0; i < LOCKS; i++)
            lge_side_put((const void *)(base + i * distances[d]), id_of(i, d + 1), LOCKS);
        for (uintptr_t i = 0; i < LOCKS; i++)
            count += lge_side_id((const void *)(base + i * distances[d])) == id_of(i, d + 1);
        ck_assert_uint_ge(count, LOCKS * 3 / 4);
        lge_side_start();
    }
}
END_TEST

START_TEST(the_table_keeps_its_tags_in_step) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t first = lge_identity_table_first_use(thread, &words[5], 0x4711, 0);
    ck_assert_uint_eq(lge_side_id(&words[5]), first);
    ck_assert(lge_identity_table_has(&words[5], first));
    uint64_t second = lge_identity_table_initialised(thread, &words[5], 0x4711, 0);
    ck_assert_uint_ne(second, first);
    ck_assert_uint_eq(lge_side_id(&words[5]), second);
    ck_assert(!lge_identity_table_has(&words[5], first));
    lge_side_start(); /* pushed out by others: the table puts it back */
    ck_assert_uint_eq(lge_identity_table_first_use(thread, &words[5], 0x4711, 0), second);
    ck_assert_uint_eq(lge_side_id(&words[5]), second);
    ck_assert_uint_eq(lge_identity_table_forget(&words[5]), second);
    ck_assert_uint_eq(lge_side_id(&words[5]), 0);
    ck_assert(!lge_identity_table_has(&words[5], second));
}
END_TEST

/* ---- memory that goes ---- */

START_TEST(what_is_unmapped_is_forgotten) {
    enum { ALL = 1000, LOW = 300, HIGH = 700 };
    struct lge_thread *thread = engine_thread(NULL);
    static char places[ALL][8192];
    uint64_t ids[ALL];
    for (int i = 0; i < ALL; i++)
        ids[i] = lge_identity_table_initialised(thread, places[i], 0x4711, 0);
    lge_identity_table_share(ids[LOW]);
    lge_identity_table_unmapped(places[LOW], (size_t)(HIGH - LOW) * sizeof places[0]);
    for (int i = 0; i < ALL; i++) {
        bool stays = i < LOW || i >= HIGH;
        ck_assert(lge_identity_table_has(places[i], ids[i]) == stays);
        ck_assert_uint_eq(lge_identity_table_known(places[i]), stays ? ids[i] : 0);
    }
    ck_assert(!lge_identity_table_shared(ids[LOW]));
    lge_identity_table_unmapped(places[LOW], 1); /* nothing is left there */
    ck_assert_uint_ne(lge_identity_table_first_use(thread, places[LOW], 0x4711, 0), ids[LOW]);
    lge_identity_table_unmapped(NULL, SIZE_MAX);
    ck_assert(!lge_identity_table_knows(places[0]));
}
END_TEST

START_TEST(where_something_may_be) {
    static struct lge_regions regions;
    const uintptr_t region = (uintptr_t)1 << LGE_REGION_BITS, turn = region * LGE_REGIONS;
    lge_regions_add(&regions, (void *)(3 * turn + 5 * region + 7));
    ck_assert(lge_regions_may_have(&regions, (void *)(3 * turn + 5 * region), 1));
    ck_assert(lge_regions_may_have(&regions, (void *)(3 * turn + 6 * region - 1), 1));
    ck_assert(!lge_regions_may_have(&regions, (void *)(3 * turn + 6 * region), region));
    ck_assert(!lge_regions_may_have(&regions, (void *)(3 * turn), 5 * region));
    ck_assert(lge_regions_may_have(&regions, (void *)(3 * turn), 5 * region + 1));
    ck_assert(lge_regions_may_have(&regions, (void *)(3 * turn + 6 * region), turn));
    ck_assert(lge_regions_may_have(&regions, (void *)(9 * turn), 2 * turn));
}
END_TEST

/* ---- a writer and readers at once ---- */

enum { SHARED = 64, LIVES = 20000 };
static atomic_bool over;
static atomic_uint wrong;

static void *look(void *unused) {
    while (!over)
        for (size_t i = 0; i < SHARED; i++) {
            uint64_t id = lge_side_id(&words[i]);
            if (id != 0 && id >> CLASS_SHIFT != i + 1)
                wrong++;
        }
    return unused;
}

START_TEST(readers_never_see_another_lock) {
    pthread_t readers[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, look, NULL);
    for (uint64_t life = 1; life <= LIVES; life++) {
        size_t word = engine_random(SHARED);
        lge_side_put(&words[word], id_of(word, life), life % 4096);
        if (life % 3 == 0)
            lge_side_forget(&words[engine_random(SHARED)]);
    }
    over = true;
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_side_tag");
    TCase *tests = engine_case(suite, "side_tag");
    tcase_add_test(tests, a_tag_is_for_one_address);
    tcase_add_test(tests, a_new_life_replaces_the_old_one);
    tcase_add_test(tests, the_tags_grow_with_the_addresses);
    tcase_add_test(tests, without_memory_they_only_get_crowded);
    tcase_add_test(tests, a_new_start_knows_nothing);
    tcase_add_test(tests, no_distance_is_unlucky);
    tcase_add_test(tests, the_table_keeps_its_tags_in_step);
    tcase_add_test(tests, what_is_unmapped_is_forgotten);
    tcase_add_test(tests, where_something_may_be);
    tcase_add_test(tests, readers_never_see_another_lock);
    return engine_run(suite);
}
