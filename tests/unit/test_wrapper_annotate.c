/* lg_annotate, linked as a program links it: what it returns, and that it leaves errno
 * and the locks alone. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include <lockgraph/annotate.h>
#include <lockgraph/options.h>

const char *lg_default_options(void) { return "verdict=0:data=" WRAPPER_DATA; }

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int own;

static int note(enum lg_note_what what, enum lg_note_kind kind, const volatile void *lock, const char *name,
                const char *other, int level) {
    const struct lg_note note = {sizeof note, (uint16_t)what, (uint8_t)kind, 0, lock, name, other, 0, level};
    errno = 77;
    int result = lg_annotate(&note);
    ck_assert_int_eq(errno, 77);
    return result;
}

START_TEST(names_and_levels) {
    ck_assert_int_eq(note(LG_NOTE_NAME, LG_NOTE_MUTEX, &mutex, "a mutex", NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_NAME, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_LEVEL, LG_NOTE_MUTEX, &mutex, "mutex", NULL, 1), 0);
    ck_assert_int_eq(note(LG_NOTE_LEVEL, LG_NOTE_MUTEX, &mutex, "mutex", NULL, 32767), 0);
    ck_assert_int_eq(note(LG_NOTE_LEVEL, LG_NOTE_MUTEX, &mutex, "mutex", NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_LEVEL, LG_NOTE_MUTEX, &mutex, "mutex", NULL, -1), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_LEVEL, LG_NOTE_MUTEX, &mutex, "mutex", NULL, 32768), EINVAL);
    ck_assert_int_eq(pthread_mutex_trylock(&mutex), 0);
    ck_assert_int_eq(note(LG_NOTE_NAME, LG_NOTE_MUTEX, &mutex, "held", NULL, 0), 0);
    ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
}
END_TEST

static void *name_it(void *result) {
    *(int *)result = note(LG_NOTE_NAME, LG_NOTE_MUTEX, &mutex, "another's", NULL, 0);
    return NULL;
}

START_TEST(what_another_thread_holds_is_left_alone) {
    pthread_t thread;
    int result = 0;
    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, name_it, &result);
    pthread_join(thread, NULL);
    pthread_mutex_unlock(&mutex);
    ck_assert_int_eq(result, EINVAL);
}
END_TEST

START_TEST(semaphores) {
    static sem_t never_initialised;
    sem_t slots;
    sem_init(&slots, 0, 2);
    ck_assert_int_eq(note(LG_NOTE_NAME, LG_NOTE_SEMAPHORE, &slots, "slots", NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_NAME, LG_NOTE_SEMAPHORE, &never_initialised, "none", NULL, 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_TAKEN_OVER, LG_NOTE_SEMAPHORE, &slots, NULL, NULL, 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_UNPUBLISHED, LG_NOTE_SEMAPHORE, &slots, NULL, NULL, 0), EINVAL);
    ck_assert_int_eq(sem_wait(&slots), 0);
    ck_assert_int_eq(sem_post(&slots), 0);
    sem_destroy(&slots);
}
END_TEST

START_TEST(orders) {
    ck_assert_int_eq(note(LG_NOTE_ORDER, LG_NOTE_CUSTOM, NULL, "first", "second", 0), 0);
    ck_assert_int_eq(note(LG_NOTE_ORDER, LG_NOTE_CUSTOM, NULL, "second", "first", 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_ORDER, LG_NOTE_CUSTOM, NULL, "first", NULL, 0), EINVAL);
}
END_TEST

START_TEST(publishing_and_handing_over) {
    ck_assert_int_eq(note(LG_NOTE_PUBLISHED, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_UNPUBLISHED, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_UNPUBLISHED, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_PUBLISHED, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_HANDED_OVER, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), EINVAL);
    pthread_mutex_lock(&mutex);
    ck_assert_int_eq(note(LG_NOTE_HANDED_OVER, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_TAKEN_OVER, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), 0);
    ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
    ck_assert_int_eq(note(LG_NOTE_TAKEN_OVER, LG_NOTE_CUSTOM, &own, NULL, NULL, 0), EINVAL);
}
END_TEST

START_TEST(keys) {
    pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
    sem_t slots;
    sem_init(&slots, 0, 1);
    ck_assert_int_eq(note(LG_NOTE_KEY, LG_NOTE_MUTEX, &mutex, NULL, NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_KEY, LG_NOTE_RWLOCK, &rwlock, NULL, NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_KEY, LG_NOTE_SEMAPHORE, &slots, NULL, NULL, 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_KEY, LG_NOTE_CUSTOM, &own, NULL, NULL, 0), EINVAL); /* not created */
    ck_assert_int_eq(note(LG_NOTE_CREATED, LG_NOTE_CUSTOM, &own, NULL, NULL, 0), 0);
    ck_assert_int_eq(note(LG_NOTE_KEY, LG_NOTE_CUSTOM, &own, NULL, NULL, 0), 0);
}
END_TEST

START_TEST(what_it_does_not_know) {
    struct lg_note newer = {sizeof newer, 999, LG_NOTE_CUSTOM, 0, &own, NULL, NULL, 0, 0};
    struct lg_note older = {sizeof older - 1, LG_NOTE_CREATED, LG_NOTE_CUSTOM, 0, &own, NULL, NULL, 0, 0};
    ck_assert_int_eq(lg_annotate(&newer), EINVAL);
    ck_assert_int_eq(lg_annotate(&older), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_NAME, LG_NOTE_MUTEX, NULL, "nothing", NULL, 0), EINVAL);
    ck_assert_int_eq(note(LG_NOTE_INITIALISED, LG_NOTE_CUSTOM, &own, "own", NULL, 0), EINVAL);
}
END_TEST

/* The kind follows from the type. */
START_TEST(kinds) {
    static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
    static pthread_spinlock_t spin;
    static sem_t semaphore;
    ck_assert_int_eq(LG_NOTE_KIND(&mutex), LG_NOTE_MUTEX);
    ck_assert_int_eq(LG_NOTE_KIND(&rwlock), LG_NOTE_RWLOCK);
    ck_assert_int_eq(LG_NOTE_KIND(&spin), LG_NOTE_SPIN);
    ck_assert_int_eq(LG_NOTE_KIND(&semaphore), LG_NOTE_SEMAPHORE);
    ck_assert_int_eq(LG_NOTE_KIND(&own), LG_NOTE_CUSTOM);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("annotations");
    TCase *test = tcase_create("all");
    suite_add_tcase(suite, test);
    tcase_add_test(test, names_and_levels);
    tcase_add_test(test, what_another_thread_holds_is_left_alone);
    tcase_add_test(test, semaphores);
    tcase_add_test(test, orders);
    tcase_add_test(test, publishing_and_handing_over);
    tcase_add_test(test, what_it_does_not_know);
    tcase_add_test(test, keys);
    tcase_add_test(test, kinds);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
