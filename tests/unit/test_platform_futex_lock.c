#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>
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

START_TEST(own_locks_are_known_in_any_order) {
    struct lgp_lock first = LGP_LOCK_INIT, second = LGP_LOCK_INIT, third = LGP_LOCK_INIT;
    lgp_lock(&first);
    lgp_lock(&second);
    lgp_lock(&third);
    ck_assert_uint_eq(lgp_own_locks.count, 3);
    lgp_unlock(&first);
    ck_assert_uint_eq(lgp_own_locks.count, 2);
    ck_assert_ptr_eq(lgp_own_locks.locks[0], &second);
    ck_assert_ptr_eq(lgp_own_locks.locks[1], &third);
    lgp_unlock(&third);
    lgp_unlock(&second);
    ck_assert_uint_eq(lgp_own_locks.count, 0);
}
END_TEST

/* More than are kept by name. */
START_TEST(deep_locks_are_counted) {
    static struct lgp_lock locks[LGP_LOCKS_KNOWN + 4];
    for (size_t i = 0; i < LGP_LOCKS_KNOWN + 4; i++)
        lgp_lock(&locks[i]);
    ck_assert_uint_eq(lgp_own_locks.count, LGP_LOCKS_KNOWN + 4);
    for (size_t i = LGP_LOCKS_KNOWN + 4; i-- > 0;)
        lgp_unlock(&locks[i]);
    ck_assert_uint_eq(lgp_own_locks.count, 0);
}
END_TEST

START_TEST(locks_left_behind_are_free_for_others) {
    struct lgp_lock first = LGP_LOCK_INIT, second = LGP_LOCK_INIT;
    lgp_lock(&first);
    lgp_lock(&second);
    lgp_locks_left();
    ck_assert_uint_eq(lgp_own_locks.count, 0);
    ck_assert_uint_eq(first.state, 0);
    ck_assert_uint_eq(second.state, 0);
}
END_TEST

/* Left before it was taken, while another has it. */
START_TEST(the_lock_of_another_thread_is_not_freed) {
    struct lgp_lock others = {lgp_tid() + 1};
    lgp_own_taking(&others);
    lgp_locks_left();
    ck_assert_uint_eq(lgp_own_locks.count, 0);
    ck_assert_uint_eq(others.state, lgp_tid() + 1);
}
END_TEST

START_TEST(locks_are_left_a_second_time) {
    struct lgp_lock first = LGP_LOCK_INIT, second = LGP_LOCK_INIT;
    lgp_lock(&first);
    lgp_lock(&second);
    lgp_lock_left(&second); /* the first time got no further */
    lgp_locks_left();
    ck_assert_uint_eq(first.state | second.state, 0);
    ck_assert_uint_eq(lgp_own_locks.count, 0);
}
END_TEST

static volatile int handled;
static volatile bool held_then;

static void put_off_or_handle(int signal, siginfo_t *info, void *context) {
    uint64_t *mask = (uint64_t *)(void *)&((ucontext_t *)context)->uc_sigmask;
    if (lgp_own_locks.count != 0 && lgp_put_off(signal, info, mask))
        return;
    handled++;
    held_then = lgp_own_locks.count != 0;
}

START_TEST(a_signal_is_put_off_until_the_last_lock_is_free) {
    struct lgp_lock outer = LGP_LOCK_INIT, inner = LGP_LOCK_INIT;
    struct sigaction action = {.sa_sigaction = put_off_or_handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    handled = 0;
    lgp_lock(&outer);
    lgp_lock(&inner);
    raise(SIGUSR1);
    lgp_unlock(&inner);
    ck_assert_int_eq(handled, 0);
    lgp_unlock(&outer);
    usleep(1); /* where a sanitizer hands over what it put off itself */
    ck_assert_int_eq(handled, 1);
    ck_assert(!held_then);
    raise(SIGUSR1); /* not blocked any more */
    ck_assert_int_eq(handled, 2);
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
    ck_assert_uint_eq(lock.state, lgp_tid() | LGP_LOCK_WAITERS);
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

/* Left with the lock free, and before the next one was woken. */
START_TEST(a_wake_up_that_was_left_is_made_up_for) {
    pthread_t thread;
    uint64_t cost;
    atomic_store(&started, 0);
    lgp_lock(&lock);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_lock, &cost), 0);
    while (atomic_load(&lock.state) == lgp_tid())
        usleep(1000);
    usleep(50000);
    atomic_store(&lock.state, 0);
    lgp_locks_left();
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

/* Its owner is in a handler that never returns. */
START_TEST(a_lock_is_taken_away_from_a_long_handler) {
    pthread_t thread;
    uint64_t cost;
    lgp_lock(&lock);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_lock, &cost), 0);
    while (atomic_load(&lock.state) == lgp_tid())
        usleep(1000);
    uint32_t which = lgp_locks_interrupted();
    ck_assert_uint_eq(which, 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    lgp_locks_resumed(which);
    ck_assert_uint_eq(lock.state & ~LGP_LOCK_WAITERS, lgp_tid());
    lgp_unlock(&lock);
    ck_assert_uint_eq(lgp_own_locks.count, 0);
}
END_TEST

START_TEST(uncontended_states) {
    lgp_lock(&lock);
    ck_assert_uint_eq(lock.state, lgp_tid());
    lgp_unlock(&lock);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("platform futex lock");
    TCase *cases = tcase_create("lock");
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, own_locks_are_known_in_any_order);
    tcase_add_test(cases, deep_locks_are_counted);
    tcase_add_test(cases, locks_left_behind_are_free_for_others);
    tcase_add_test(cases, the_lock_of_another_thread_is_not_freed);
    tcase_add_test(cases, locks_are_left_a_second_time);
    tcase_add_test(cases, a_wake_up_that_was_left_is_made_up_for);
    tcase_add_test(cases, a_signal_is_put_off_until_the_last_lock_is_free);
    tcase_add_test(cases, a_lock_is_taken_away_from_a_long_handler);
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
