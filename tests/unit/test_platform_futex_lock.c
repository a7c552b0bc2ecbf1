#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "platform/futex_lock.h"
#include "platform/system.h"

enum { THREADS = 4, ROUNDS = 50000 };

static struct lgp_lock lock = LGP_LOCK_INIT;
static long counter, inside, overlaps; /* plain on purpose: the lock guards them */
static _Atomic int started;

static void *count_up(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        lgp_lock(&lock);
        overlaps += inside++ != 0;
        counter++;
        inside--;
        lgp_unlock(&lock);
    }
    return NULL;
}

START_TEST(threads_exclude_each_other) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(counter, (long)THREADS * ROUNDS);
    ck_assert_int_eq(overlaps, 0);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

static uint64_t thread_cpu_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* Waits for the lock; the result says how much processor time that took, or
 * UINT64_MAX where errno was touched. */
static void *wait_for_lock(void *cost) {
    atomic_fetch_add(&started, 1);
    uint64_t before = thread_cpu_ns();
    errno = 77;
    lgp_lock(&lock);
    bool errno_kept = errno == 77;
    *(uint64_t *)cost = errno_kept ? thread_cpu_ns() - before : UINT64_MAX;
    lgp_unlock(&lock);
    return NULL;
}

START_TEST(waiters_sleep_and_are_all_woken) {
    pthread_t threads[THREADS];
    uint64_t costs[THREADS];
    lgp_lock(&lock);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_lock, &costs[i]), 0);
    while (atomic_load(&started) < THREADS)
        usleep(1000);
    usleep(200000);
    ck_assert_uint_eq(lock.state, 2);
    lgp_unlock(&lock);
    uint64_t cost = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_ne(costs[i], UINT64_MAX);
        cost += costs[i];
    }
    ck_assert_uint_lt(cost, 20000000u); /* a tenth of the wait, for all of them */
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

START_TEST(uncontended_states) {
    lgp_lock(&lock);
    ck_assert_uint_eq(lock.state, 1);
    lgp_unlock(&lock);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("platform futex lock");
    TCase *cases = tcase_create("lock");
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, uncontended_states);
    tcase_add_test(cases, threads_exclude_each_other);
    tcase_add_test(cases, waiters_sleep_and_are_all_woken);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
