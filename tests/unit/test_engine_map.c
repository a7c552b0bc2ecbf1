#include <stdlib.h>

#include "engine/map.h"
#include "engine/mix.h"
#include "engine_support.h"
#include "platform/memory.h"

enum { KEYS = 60, MOST = 600 };

/* The model: a bag of entries; each value is the address of an own byte. */
static struct {
    uint64_t key;
    char *value;
} model[MOST];
static size_t model_count;
static char values[100000];

static size_t model_of(uint64_t key) {
    size_t count = 0;
    for (size_t i = 0; i < model_count; i++)
        count += model[i].key == key;
    return count;
}

static bool in_model(uint64_t key, const void *value) {
    for (size_t i = 0; i < model_count; i++)
        if (model[i].key == key && model[i].value == value)
            return true;
    return false;
}

static void check_key(const struct lge_map *map, uint64_t key) {
    size_t count = 0;
    const void *last = NULL;
    for (size_t i = lge_map_first(map, key); i != SIZE_MAX; i = lge_map_next(map, i)) {
        ck_assert(in_model(key, lge_map_at(map, i)));
        ck_assert_ptr_ne(lge_map_at(map, i), last);
        last = lge_map_at(map, i);
        count++;
    }
    ck_assert_uint_eq(count, model_of(key));
    ck_assert((lge_map_get(map, key) != NULL) == (count != 0));
}

START_TEST(a_random_history_agrees_with_a_bag) {
    struct lge_map map = {0};
    size_t fresh = 0;
    for (int step = 0; step < 20000; step++) {
        uint64_t key = engine_random(KEYS);
        bool growing = step % 4000 < 2000;
        if (model_count < MOST && engine_random(10) < (growing ? 7u : 3u)) {
            model[model_count].key = key;
            model[model_count].value = &values[fresh++];
            ck_assert(lge_map_add(&map, key, model[model_count].value));
            model_count++;
        } else if (model_count > 0) {
            size_t victim = engine_random((uint32_t)model_count);
            key = model[victim].key;
            lge_map_remove(&map, key, model[victim].value);
            model[victim] = model[--model_count];
        }
        ck_assert_uint_eq(map.count, model_count);
        check_key(&map, key);
        if (step % 500 == 0)
            for (uint64_t each = 0; each < KEYS; each++)
                check_key(&map, each);
    }
    lge_map_clear(&map);
    ck_assert_uint_eq(map.capacity, 0);
}
END_TEST

/* Keys whose home is the slot before the last of sixteen, and a few that live
 * at the start: their run goes round the end. */
START_TEST(a_run_round_the_end_survives_every_removal) {
    enum { RUN = 9, NEIGHBOURS = 2, ALL = RUN + NEIGHBOURS };
    uint64_t keys[ALL];
    size_t found = 0;
    for (uint64_t key = 1; found < RUN; key++)
        if ((lge_mix(key, 0) & 15) == 14)
            keys[found++] = key;
    for (uint64_t key = 1; found < ALL; key++)
        if ((lge_mix(key, 0) & 15) == 2)
            keys[found++] = key;
    for (size_t first = 0; first < ALL; first++) {
        struct lge_map map = {0};
        for (size_t i = 0; i < ALL; i++)
            ck_assert(lge_map_add(&map, keys[i], &keys[i]));
        ck_assert_uint_eq(map.capacity, 16);
        for (size_t gone = 0; gone < ALL; gone++) {
            size_t victim = (first + gone * 3) % ALL;
            lge_map_remove(&map, keys[victim], &keys[victim]);
            ck_assert_ptr_null(lge_map_get(&map, keys[victim]));
            for (size_t later = gone + 1; later < ALL; later++) {
                size_t kept = (first + later * 3) % ALL;
                ck_assert_ptr_eq(lge_map_get(&map, keys[kept]), &keys[kept]);
            }
        }
        ck_assert_uint_eq(map.count, 0);
        lge_map_clear(&map);
    }
}
END_TEST

START_TEST(what_is_not_there_is_not_removed) {
    struct lge_map map = {0};
    ck_assert_ptr_null(lge_map_get(&map, 7));
    lge_map_remove(&map, 7, &map);
    ck_assert(lge_map_add(&map, 7, values));
    lge_map_remove(&map, 7, values + 1);
    lge_map_remove(&map, 8, values);
    ck_assert_uint_eq(map.count, 1);
    ck_assert_ptr_eq(lge_map_get(&map, 7), values);
    lge_map_clear(&map);
    ck_assert_ptr_null(lge_map_get(&map, 7));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_map");
    TCase *tests = engine_case(suite, "map");
    tcase_add_test(tests, a_random_history_agrees_with_a_bag);
    tcase_add_test(tests, a_run_round_the_end_survives_every_removal);
    tcase_add_test(tests, what_is_not_there_is_not_removed);
    return engine_run(suite);
}
