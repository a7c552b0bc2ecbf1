/* lg_mutex_lock and lg_mutex_unlock where they take their hot path: what is known of a
 * lock, its level, its key and its pins are what they are on the slow one. */
#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>
#include <lockgraph/options.h>

enum { LOW = 10, HIGH = 20, KEYED = 30, ROUNDS = 300 }; /* a call site is hot after its first 64 */

const char *lg_default_options(void) { return "verdict=0:data=" WRAPPER_DATA; }

static lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW), high = LG_MUTEX_INITIALIZER("high", HIGH);
static lg_mutex_t one = LG_MUTEX_INITIALIZER_KEYED("keyed", KEYED, 1);
static lg_mutex_t two = LG_MUTEX_INITIALIZER_KEYED("keyed", KEYED, 2);

/* Each lock call here is one site, whose function stays on the stack while the lock is held: the result of
 * the inner one. */
static __attribute__((noinline)) int nest(lg_mutex_t *first, lg_mutex_t *second) {
    ck_assert_int_eq(lg_mutex_lock(first), 0);
    int error = lg_mutex_timedlock(second, 1000);
    if (error == 0)
        ck_assert_int_eq(lg_mutex_unlock(second), 0);
    ck_assert_int_eq(lg_mutex_unlock(first), 0);
    return error;
}

static void warm(lg_mutex_t *first, lg_mutex_t *second) {
    for (int i = 0; i < ROUNDS; i++)
        ck_assert_int_eq(nest(first, second), 0);
}

static void refused(lg_mutex_t *first, lg_mutex_t *second) {
    for (int i = 0; i < ROUNDS; i++)
        ck_assert_int_eq(nest(first, second), EDEADLK);
}

static void setup(void) { lg_on_violation(LG_REPORT); }

START_TEST(levels_of_holds_are_kept) {
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(lg_mutex_lock(&low), 0);
        ck_assert_int_eq(lg_may_acquire(LOW), 0);
        ck_assert_int_eq(lg_may_acquire(LOW + 1), 1);
        ck_assert_int_eq(lg_mutex_timedlock(&high, 1000), 0);
        ck_assert_int_eq(lg_may_acquire(HIGH), 0);
        ck_assert_int_eq(lg_may_acquire(HIGH + 1), 1);
        ck_assert_int_eq(lg_mutex_unlock(&high), 0);
        ck_assert_int_eq(lg_may_acquire(LOW + 1), 1);
        ck_assert_int_eq(lg_mutex_unlock(&low), 0);
        ck_assert_int_eq(lg_may_acquire(1), 1);
    }
}
END_TEST

/* What was told hundreds of times is refused as soon as that is asked for. */
START_TEST(a_known_violation_is_refused) {
    warm(&high, &low);
    lg_on_violation(LG_REFUSE);
    refused(&high, &low);
    warm(&low, &high);
}
END_TEST

START_TEST(keys_count) {
    warm(&one, &two);
    warm(&two, &one);
    lg_on_violation(LG_REFUSE);
    warm(&one, &two);
    refused(&two, &one);
}
END_TEST

/* Beneath a hold that was taken past its level by a trylock. */
START_TEST(an_attempt_past_its_level_is_not_forgotten) {
    warm(&low, &high);
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_mutex_lock(&high), 0);
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(lg_mutex_trylock(&low), 0);
        ck_assert_int_eq(lg_may_acquire(LOW + 1), 0); /* high is held below */
        ck_assert_int_eq(lg_mutex_unlock(&low), 0);
    }
    ck_assert_int_eq(lg_mutex_unlock(&high), 0);
}
END_TEST

/* ---- any nest of any locks, against what the manual says ---- */

enum { LOCKS = 14, STEPS = 40000, LEVELS = 5, KEYS = 6 };
static struct model {
    lg_mutex_t mutex;
    char name[16];
    int level;
    bool keyed, held;
    uint64_t key;
} models[LOCKS];

static void make_models(unsigned seed) {
    srand(seed);
    for (int i = 0; i < LOCKS; i++) {
        struct model *m = &models[i];
        *m = (struct model){.level = rand() % LEVELS, .key = (uint64_t)(rand() % KEYS)};
        m->keyed = m->level != LG_NO_LEVEL && rand() % 2;
        snprintf(m->name, sizeof m->name, "%d %s", m->level, m->keyed ? "keyed" : "plain");
        ck_assert_int_eq(m->keyed ? lg_mutex_init_keyed(&m->mutex, m->name, m->level, m->key)
                                  : lg_mutex_init(&m->mutex, m->name, m->level),
                         0);
    }
}

static bool above(const struct model *wanted, const struct model *held) {
    if (!held->held || held->level == LG_NO_LEVEL || wanted->level > held->level)
        return true;
    return wanted->level == held->level && wanted->keyed && held->keyed && wanted->key > held->key;
}
static int expected(const struct model *wanted) {
    for (int i = 0; i < LOCKS && wanted->level != LG_NO_LEVEL; i++)
        if (!above(wanted, &models[i]))
            return EDEADLK;
    return 0;
}

static void step(struct model *m) {
    if (m->held) {
        ck_assert_int_eq(lg_mutex_unlock(&m->mutex), 0);
        m->held = false;
    } else if (rand() % 4 == 0) {
        ck_assert_int_eq(lg_mutex_trylock(&m->mutex), 0);
        m->held = true;
    } else {
        ck_assert_int_eq(lg_mutex_lock(&m->mutex), expected(m));
        m->held = expected(m) == 0;
    }
}

START_TEST(any_nest_is_as_declared) {
    make_models((unsigned)_i);
    lg_on_violation(LG_REFUSE);
    for (int i = 0; i < STEPS; i++)
        step(&models[rand() % LOCKS]);
}
END_TEST

/* ---- who gives it up ---- */

static void *unlock_it(void *m) { return (void *)(ptrdiff_t)lg_mutex_unlock(m); }

START_TEST(only_the_owner_gives_it_up) {
    pthread_t thread;
    void *error;
    warm(&low, &high);
    ck_assert_int_eq(lg_mutex_unlock(&low), EPERM);
    ck_assert_int_eq(lg_mutex_lock(&low), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, unlock_it, &low), 0);
    pthread_join(thread, &error);
    ck_assert_int_eq((int)(ptrdiff_t)error, EPERM);
    ck_assert_int_eq(lg_mutex_trylock(&low), EBUSY);
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
    ck_assert_int_eq(lg_mutex_unlock(&low), EPERM);
}
END_TEST

/* The thread that is left in a forked child holds what it held. */
static int child_status(int (*in_child)(void)) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_child());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

enum { UNLOCK_FAILED = 1, STILL_HELD, NOT_ONCE, LOCK_FAILED };
static int give_up_inherited(void) {
    if (lg_mutex_unlock(&high) != 0 || lg_mutex_unlock(&low) != 0)
        return UNLOCK_FAILED;
    if (lg_mutex_unlock(&low) != EPERM)
        return NOT_ONCE;
    for (int i = 0; i < ROUNDS; i++)
        if (lg_mutex_trylock(&low) != 0 || lg_mutex_unlock(&low) != 0)
            return STILL_HELD;
    return lg_mutex_timedlock(&low, 1000) != 0 || lg_mutex_unlock(&low) != 0 ? LOCK_FAILED : 0;
}

static int fork_and_give_up(void) { return child_status(give_up_inherited) == 0 ? 0 : UNLOCK_FAILED; }

START_TEST(what_was_held_over_forks_is_given_up_in_the_child) {
    warm(&low, &high);
    ck_assert_int_eq(lg_mutex_lock(&low), 0);
    ck_assert_int_eq(lg_mutex_lock(&high), 0);
    ck_assert_int_eq(child_status(_i == 0 ? give_up_inherited : fork_and_give_up), 0);
    ck_assert_int_eq(lg_mutex_unlock(&high), 0);
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
}
END_TEST

static pthread_barrier_t meeting;
static void *hold_it(void *m) {
    ck_assert_int_eq(lg_mutex_lock(m), 0);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    ck_assert_int_eq(lg_mutex_unlock(m), 0);
    return NULL;
}
static int give_up_of_other(void) { return lg_mutex_unlock(&low) == EPERM ? 0 : UNLOCK_FAILED; }

START_TEST(what_another_held_over_a_fork_is_not) {
    pthread_t thread;
    warm(&low, &high);
    pthread_barrier_init(&meeting, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, hold_it, &low), 0);
    pthread_barrier_wait(&meeting);
    ck_assert_int_eq(child_status(give_up_of_other), 0);
    pthread_barrier_wait(&meeting);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(pins_hold) {
    warm(&low, &high);
    lg_on_violation(LG_REFUSE);
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(lg_mutex_lock(&low), 0);
        ck_assert_int_eq(lg_mutex_pin(&low), 0);
        ck_assert_int_eq(lg_mutex_unlock(&low), EBUSY);
        ck_assert_int_eq(lg_mutex_unpin(&low), 0);
        ck_assert_int_eq(lg_mutex_unlock(&low), 0);
    }
}
END_TEST

/* In any order, not only the newest first. */
START_TEST(given_up_in_any_order) {
    warm(&low, &high);
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(lg_mutex_lock(&low), 0);
        ck_assert_int_eq(lg_mutex_lock(&high), 0);
        ck_assert_int_eq(lg_mutex_unlock(&low), 0);
        ck_assert_int_eq(lg_may_acquire(HIGH), 0);
        ck_assert_int_eq(lg_mutex_unlock(&high), 0);
        ck_assert_int_eq(lg_may_acquire(1), 1);
    }
}
END_TEST

/* A lock made anew at the same place is another one, with its own level. */
START_TEST(made_anew) {
    lg_mutex_t m;
    ck_assert_int_eq(lg_mutex_init(&m, "first", HIGH + 1), 0);
    warm(&high, &m);
    ck_assert_int_eq(lg_mutex_destroy(&m), 0);
    ck_assert_int_eq(lg_mutex_init(&m, "second", LOW), 0);
    lg_on_violation(LG_REFUSE);
    refused(&high, &m);
    warm(&m, &high);
    ck_assert_int_eq(lg_mutex_destroy(&m), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wrapper_hot");
    TCase *tests = tcase_create("calls");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, levels_of_holds_are_kept);
    tcase_add_test(tests, a_known_violation_is_refused);
    tcase_add_test(tests, keys_count);
    tcase_add_test(tests, an_attempt_past_its_level_is_not_forgotten);
    tcase_add_loop_test(tests, any_nest_is_as_declared, 1, 6);
    tcase_add_test(tests, only_the_owner_gives_it_up);
    tcase_add_loop_test(tests, what_was_held_over_forks_is_given_up_in_the_child, 0, 2);
    tcase_add_test(tests, what_another_held_over_a_fork_is_not);
    tcase_add_test(tests, pins_hold);
    tcase_add_test(tests, given_up_in_any_order);
    tcase_add_test(tests, made_anew);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
