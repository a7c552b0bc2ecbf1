#include <pthread.h>
#include <stdlib.h>

#include "engine/identity.h"
#include "engine/lock_class.h"
#include "engine_support.h"

enum { SITE = 0x4711 };

/* A lock in the heap: no static variable. */
struct lock {
    int word;
    struct lge_tag tag;
};

static struct lock *heap_lock(void) { return calloc(1, sizeof(struct lock)); }

static uint64_t first_use(struct lge_thread *thread, struct lock *lock) {
    return lge_identity_tag_first_use(thread, &lock->tag, lock, SITE, 0);
}
static uint16_t kind_of(uint64_t id) {
    const struct lge_class *class = lge_class_get(lge_lock_class(id));
    ck_assert_ptr_nonnull(class);
    return class->kind;
}

START_TEST(a_tag_is_installed_once) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lock *lock = heap_lock();
    ck_assert_uint_eq(lge_tag_id(&lock->tag, lock), 0);
    uint64_t id = first_use(thread, lock);
    ck_assert_uint_ne(id, 0);
    ck_assert_uint_eq(lge_tag_id(&lock->tag, lock), id);
    ck_assert_uint_eq(first_use(thread, lock), id);
    ck_assert_uint_eq(lge_identity_count(), 1);
    free(lock);
}
END_TEST

START_TEST(zeroed_copied_torn_and_stale_tags_are_new_locks) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lock *lock = heap_lock(), *copy = heap_lock();
    uint64_t first = first_use(thread, lock);

    *copy = *lock;
    ck_assert_uint_eq(lge_tag_id(&copy->tag, copy), 0);
    uint64_t second = first_use(thread, copy);
    ck_assert_uint_ne(second, first);
    ck_assert_uint_eq(lge_tag_id(&lock->tag, lock), first);

    atomic_store(&lock->tag.id, second); /* torn: id of one, check of the other */
    ck_assert_uint_eq(lge_tag_id(&lock->tag, lock), 0);
    atomic_store(&lock->tag.id, first);
    atomic_store(&lock->tag.check, 0);
    ck_assert_uint_eq(lge_tag_id(&lock->tag, lock), 0);
    uint64_t third = first_use(thread, lock);
    ck_assert_uint_ne(third, first);

    lock->tag = (struct lge_tag){0}; /* initialised anew */
    uint64_t fourth = first_use(thread, lock);
    ck_assert_uint_ne(fourth, third);
    ck_assert_uint_eq(lge_tag_id(&(struct lge_tag){0}, NULL), 0);
    free(lock);
    free(copy);
}
END_TEST

START_TEST(every_initialisation_is_a_new_lock) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lock *lock = heap_lock();
    uint64_t first = lge_identity_tag_initialised(thread, &lock->tag, lock, SITE, 0);
    ck_assert_uint_eq(first_use(thread, lock), first);
    uint64_t second = lge_identity_tag_initialised(thread, &lock->tag, lock, SITE, 0);
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(lge_tag_id(&lock->tag, lock), second);
    ck_assert_uint_eq(lge_lock_class(first), lge_lock_class(second));
    ck_assert_uint_eq(kind_of(first), LGR_CLASS_INIT);
    ck_assert_uint_ne(lge_lock_class(lge_identity_tag_initialised(thread, &lock->tag, lock, SITE + 1, 0)),
                      lge_lock_class(second));
    free(lock);
}
END_TEST

static struct lock static_lock, static_initialised;

START_TEST(static_storage_is_a_variable_once) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t first = first_use(thread, &static_lock);
    ck_assert_uint_eq(kind_of(first), LGR_CLASS_STATIC);
    ck_assert_uint_eq(lge_class_get(lge_lock_class(first))->variable, (uintptr_t)&static_lock);
    static_lock.tag = (struct lge_tag){0};
    uint64_t second = first_use(thread, &static_lock);
    ck_assert_uint_eq(kind_of(second), LGR_CLASS_GUESS);
    uint64_t third =
        lge_identity_tag_initialised(thread, &static_initialised.tag, &static_initialised, SITE, 0);
    ck_assert_uint_eq(kind_of(third), LGR_CLASS_STATIC);
    uint64_t fourth =
        lge_identity_tag_initialised(thread, &static_initialised.tag, &static_initialised, SITE, 0);
    ck_assert_uint_eq(kind_of(fourth), LGR_CLASS_INIT);
    struct lock *heap = heap_lock();
    ck_assert_uint_eq(kind_of(first_use(thread, heap)), LGR_CLASS_GUESS);
    ck_assert_uint_eq(lge_class_static((uintptr_t)&static_lock), lge_lock_class(first));
    free(heap);
}
END_TEST

START_TEST(the_table_serves_where_there_is_no_tag) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lock *lock = heap_lock();
    ck_assert_uint_eq(lge_identity_table_forget(lock), 0);
    uint64_t first = lge_identity_table_first_use(thread, lock, SITE, 0);
    ck_assert_uint_eq(lge_identity_table_first_use(thread, lock, SITE + 9, 0), first);
    ck_assert_uint_eq(kind_of(first), LGR_CLASS_GUESS);
    uint64_t second = lge_identity_table_initialised(thread, lock, SITE, 0);
    ck_assert_uint_ne(second, first);
    ck_assert_uint_eq(lge_identity_table_first_use(thread, lock, SITE, 0), second);
    ck_assert_uint_eq(lge_identity_table_forget(lock), second);
    ck_assert_uint_eq(lge_identity_table_forget(lock), 0);
    ck_assert_uint_ne(lge_identity_table_first_use(thread, lock, SITE, 0), second);
    free(lock);
}
END_TEST

START_TEST(numbers_come_in_batches) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t a = lge_lock_id_new(one, 5), b = lge_lock_id_new(other, 5), c = lge_lock_id_new(one, 5);
    ck_assert_uint_eq(c, a + 1);
    ck_assert_uint_ge(b > a ? b - a : a - b, 64);
    ck_assert_uint_eq(lge_lock_class(a), 5);
    ck_assert_uint_eq(lge_identity_count(), 3);
    for (uint64_t i = 0; i < 200; i++)
        ck_assert_uint_ne(lge_lock_id_new(one, 5), b);
    ck_assert_uint_eq(lge_identity_count(), 203);
    lge_thread_joined(one, other, lge_thread_serial(other)); /* its rest is not counted */
    ck_assert_uint_eq(lge_identity_count(), 203);
}
END_TEST

/* ---- many threads at once ---- */

enum { THREADS = 4, SHARED = 400 };
static struct lock *shared[SHARED];
static uint64_t seen[THREADS][SHARED];
static struct lge_thread *workers[THREADS];
static pthread_barrier_t together;

static void *use_all(void *number) {
    int me = (int)(intptr_t)number;
    pthread_barrier_wait(&together);
    for (int i = 0; i < SHARED; i++)
        seen[me][i] = i % 2 ? first_use(workers[me], shared[i])
                            : lge_identity_table_first_use(workers[me], shared[i], SITE, 0);
    return NULL;
}

START_TEST(threads_agree_on_a_lock) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&together, NULL, THREADS);
    for (int i = 0; i < SHARED; i++)
        shared[i] = heap_lock();
    for (intptr_t i = 0; i < THREADS; i++) {
        workers[i] = engine_thread(NULL);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_all, (void *)i), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHARED; i++)
        for (int j = 1; j < THREADS; j++)
            ck_assert_uint_eq(seen[0][i], seen[j][i]);
    for (int i = 0; i < SHARED; i++)
        free(shared[i]);
    pthread_barrier_destroy(&together);
}
END_TEST

/* The loser of a race gives its number back. */
START_TEST(a_number_not_needed_is_not_counted) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lock *lock = heap_lock();
    uint64_t id = first_use(thread, lock), next;
    for (int i = 0; i < 10; i++)
        ck_assert_uint_eq(first_use(thread, lock), id);
    next = lge_lock_id_new(thread, lge_lock_class(id));
    ck_assert_uint_eq(next, id + 1);
    ck_assert_uint_eq(lge_identity_count(), 2);
    free(lock);
}
END_TEST

START_TEST(after_fork_numbers_are_other_ones) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t before = lge_lock_id_new(thread, 1);
    thread->id_next = thread->id_end = 0; /* as lge_threads_after_fork does */
    lge_identity_after_fork(4711);
    ck_assert_uint_eq(lge_identity_count(), 0);
    uint64_t after = lge_lock_id_new(thread, 1);
    ck_assert_uint_ne(after >> 24, before >> 24);
    ck_assert_uint_eq(lge_lock_class(after), 1);
    ck_assert_uint_eq(lge_identity_count(), 1);
}
END_TEST

/* As many as a server that forks for each connection has at a time. */
START_TEST(no_two_children_go_on_in_one_range) {
    enum { CHILDREN = 40000, RANGES = 0x10000 };
    static bool taken[RANGES];
    struct lge_thread *thread = engine_thread(NULL);
    taken[0] = true; /* the first process's */
    for (int i = 0; i < CHILDREN; i++) {
        thread->id_next = thread->id_end = 0;
        lge_identity_after_fork(4711);
        uint64_t range = lge_lock_id_new(thread, 0) >> 24;
        ck_assert_uint_lt(range, RANGES);
        ck_assert_msg(!taken[range], "%d: range %lu again", i, (unsigned long)range);
        taken[range] = true;
    }
}
END_TEST

/* ---- classes ---- */

START_TEST(a_class_is_made_once) {
    uint32_t named = lge_class_named("queue"), longer = lge_class_named("queues");
    ck_assert_uint_ne(named, longer);
    ck_assert_uint_eq(lge_class_named("queue"), named);
    ck_assert_uint_ne(lge_class_guessed(3), lge_class_initialised_at(3));
    ck_assert_uint_eq(lge_class_guessed(3), lge_class_guessed(3));
    ck_assert_uint_eq(lge_class_static_first(0x1000), lge_class_static(0x1000));
    ck_assert_uint_eq(lge_class_static_first(0x1000), LGE_CLASS_NONE);
    ck_assert_ptr_null(lge_class_get(LGE_CLASS_NONE));
    ck_assert_ptr_null(lge_class_get(100000));
    ck_assert_int_eq(lge_class_get(named)->level, INT16_MIN);
    ck_assert_uint_eq(lge_class_get(named)->name_length, 5);
}
END_TEST

START_TEST(classes_fill_many_pages) {
    for (uint32_t i = 1; i <= 3000; i++)
        ck_assert_uint_eq(lge_class_guessed(i), i);
    for (uint32_t i = 1; i <= 3000; i++) {
        ck_assert_uint_eq(lge_class_get(i)->context, i);
        ck_assert_uint_eq(lge_class_get(i)->id, i);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_identity");
    TCase *tests = engine_case(suite, "identity");
    tcase_add_test(tests, a_tag_is_installed_once);
    tcase_add_test(tests, zeroed_copied_torn_and_stale_tags_are_new_locks);
    tcase_add_test(tests, every_initialisation_is_a_new_lock);
    tcase_add_test(tests, static_storage_is_a_variable_once);
    tcase_add_test(tests, the_table_serves_where_there_is_no_tag);
    tcase_add_test(tests, numbers_come_in_batches);
    tcase_add_test(tests, threads_agree_on_a_lock);
    tcase_add_test(tests, a_number_not_needed_is_not_counted);
    tcase_add_test(tests, after_fork_numbers_are_other_ones);
    tcase_add_test(tests, no_two_children_go_on_in_one_range);
    tcase_add_test(tests, a_class_is_made_once);
    tcase_add_test(tests, classes_fill_many_pages);
    return engine_run(suite);
}
