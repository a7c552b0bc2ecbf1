/* Time limits of the lg_ functions that pass, and groups, in log lines. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <lockgraph/lockgraph.h>
#include <lockgraph/options.h>

enum { LIMIT_MS = 60, LEVEL = 10, FOREVER_S = 60 };

/* Waits that go on are not told: what is told is the end. */
const char *lg_default_options(void) { return "verdict=0:lock_timeout=none:data=" WRAPPER_DATA; }

static lg_mutex_t mutex = LG_MUTEX_INITIALIZER("held", LEVEL);
static lg_rwlock_t rwlock = LG_RWLOCK_INITIALIZER("held", LEVEL);
static lg_sem_t slots;
static lg_group_t session = {"session 17", LG_DEFAULT_TIMEOUT, LG_DEFAULT};

/* ---- what is told ---- */

enum { LINES = 16, LENGTH = 512 };
static char lines[LINES][LENGTH];
static unsigned line_count, warnings;

static void keep(enum lg_log_level level, const char *line, void *user) {
    (void)user;
    if (line_count < LINES)
        snprintf(lines[line_count], LENGTH, "%s", line);
    line_count++;
    warnings += level == LG_LOG_WARNING;
}

static void hear(void) {
    line_count = warnings = 0;
    lg_log_to(keep, NULL);
}

/* ---- who holds it ---- */

static pthread_t holder;
static pthread_barrier_t turn;

static void *hold(void *nothing) {
    pthread_setname_np(pthread_self(), "keeper");
    ck_assert_int_eq(lg_mutex_lock(&mutex) + lg_sem_wait(&slots), 0);
    ck_assert_int_eq(lg_rwlock_wrlock(&rwlock), 0);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    ck_assert_int_eq(lg_rwlock_unlock(&rwlock) + lg_sem_post(&slots) + lg_mutex_unlock(&mutex), 0);
    return nothing;
}

static void set_up(void) {
    static lg_group_t *const group = &session;
    /* Levels are no matter here: all are held at once. */
    ck_assert_int_eq(
        lg_mutex_init(&mutex, "held", LG_NO_LEVEL) + lg_rwlock_init(&rwlock, "held", LG_NO_LEVEL), 0);
    ck_assert_int_eq(lg_sem_init(&slots, "held", LG_NO_LEVEL, 1), 0);
    ck_assert_int_eq(lg_sem_wait(&slots) + lg_sem_post(&slots), 0); /* a lock, as its slot comes back */
    lg_mutex_set_group(&mutex, group);
    lg_rwlock_set_group(&rwlock, group);
    lg_sem_set_group(&slots, group);
    pthread_barrier_init(&turn, NULL, 2);
    ck_assert_int_eq(pthread_create(&holder, NULL, hold, NULL), 0);
    pthread_barrier_wait(&turn);
    hear();
}

static void tear_down(void) {
    lg_log_to(NULL, NULL);
    lg_default_timeout(LG_DEFAULT_TIMEOUT);
    session.timeout_ms = LG_DEFAULT_TIMEOUT;
    pthread_barrier_wait(&turn);
    pthread_join(holder, NULL);
}

/* ---- limits that pass ---- */

static struct timespec soon(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += LIMIT_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static int mutex_by_lock(void) { return lg_mutex_set_timeout(&mutex, LIMIT_MS), lg_mutex_lock(&mutex); }
static int mutex_by_group(void) { return session.timeout_ms = LIMIT_MS, lg_mutex_lock(&mutex); }
static int mutex_by_process(void) { return lg_default_timeout(LIMIT_MS), lg_mutex_lock(&mutex); }
static int mutex_by_caller(void) { return lg_mutex_timedlock(&mutex, LIMIT_MS); }
static int mutex_until(void) {
    struct timespec at = soon();
    return lg_mutex_lock_until(&mutex, &at);
}
static int reader_by_group(void) { return session.timeout_ms = LIMIT_MS, lg_rwlock_rdlock(&rwlock); }
static int reader_by_caller(void) { return lg_rwlock_timedrdlock(&rwlock, LIMIT_MS); }
static int writer_by_process(void) { return lg_default_timeout(LIMIT_MS), lg_rwlock_wrlock(&rwlock); }
static int writer_until(void) {
    struct timespec at = soon();
    return lg_rwlock_wrlock_until(&rwlock, &at);
}
static int slot_by_process(void) { return lg_default_timeout(LIMIT_MS), lg_sem_wait(&slots); }
static int slot_by_caller(void) { return lg_sem_timedwait(&slots, LIMIT_MS); }

static int (*const attempts[])(void) = {mutex_by_lock, mutex_by_group,  mutex_by_process, mutex_by_caller,
                                        mutex_until,   reader_by_group, reader_by_caller, writer_by_process,
                                        writer_until,  slot_by_process, slot_by_caller};

START_TEST(a_limit_that_passes_is_told_once) {
    unsigned ms = 0;
    int end = 0;
    ck_assert_int_eq(attempts[_i](), ETIMEDOUT);
    ck_assert_uint_eq(line_count, 1);
    ck_assert_uint_eq(warnings, 1);
    const char *event = strstr(lines[0], ": session 17: held lock 0x");
    ck_assert_msg(event != NULL, "no context: %s", lines[0]);
    event = strstr(lines[0], ": timeout after ");
    ck_assert_msg(event != NULL, "no event: %s", lines[0]);
    ck_assert_msg(sscanf(event, ": timeout after %u ms; held by %*u keeper%n", &ms, &end) == 1 && end != 0,
                  "%s", event);
    ck_assert_msg(strstr(event, ", taken at main program+0x") != NULL, "%s", event);
    /* A point in time may have come nearer before the call began. */
    bool until = attempts[_i] == mutex_until || attempts[_i] == writer_until;
    ck_assert_uint_ge(ms, until ? LIMIT_MS / 2 : LIMIT_MS);
}
END_TEST

START_TEST(ones_own_hold_is_told) {
    lg_mutex_t own;
    ck_assert_int_eq(lg_mutex_init(&own, "own", LG_NO_LEVEL), 0);
    ck_assert_int_eq(lg_mutex_lock(&own), 0);
    ck_assert_int_eq(lg_mutex_timedlock(&own, LIMIT_MS), ETIMEDOUT);
    ck_assert_uint_eq(line_count, 1);
    ck_assert_msg(strstr(lines[0], " ms; held by this thread, taken at main program+0x") != NULL, "%s",
                  lines[0]);
    ck_assert_int_eq(lg_mutex_unlock(&own), 0);
}
END_TEST

/* What could not wait did not wait too long. */
START_TEST(none_to_spare_is_not_told) {
    struct timespec past = {1, 0};
    ck_assert_int_eq(lg_mutex_timedlock(&mutex, 0), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_lock_until(&mutex, &past), ETIMEDOUT);
    ck_assert_int_eq(lg_rwlock_timedrdlock(&rwlock, -1), ETIMEDOUT);
    ck_assert_int_eq(lg_sem_timedwait(&slots, 0), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_trylock(&mutex), EBUSY);
    ck_assert_uint_eq(line_count, 0);
}
END_TEST

/* A limit of libc's own functions is the program's alone. */
START_TEST(a_plain_call_is_not_told) {
    struct timespec at = soon();
    ck_assert_int_eq(pthread_mutex_clocklock(&mutex.mutex, CLOCK_MONOTONIC, &at), ETIMEDOUT);
    ck_assert_uint_eq(line_count, 0);
}
END_TEST

/* What nobody holds, nobody held too long. */
START_TEST(a_signal_that_does_not_come_is_not_told) {
    lg_sem_t post;
    lg_cond_t condition = LG_COND_INITIALIZER;
    lg_mutex_t own = LG_MUTEX_INITIALIZER("own", LG_NO_LEVEL);
    ck_assert_int_eq(lg_sem_init(&post, "post", LG_NO_LEVEL, 0), 0);
    ck_assert_int_eq(lg_sem_timedwait(&post, LIMIT_MS), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_lock(&own), 0);
    ck_assert_int_eq(lg_cond_timedwait(&condition, &own, LIMIT_MS), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_unlock(&own), 0);
    ck_assert_uint_eq(line_count, 0);
}
END_TEST

static void do_nothing(int number) { (void)number; }

/* It is one wait, from its beginning on. */
START_TEST(a_wait_for_a_slot_goes_on_after_signals) {
    struct itimerval every = {{0, 2000}, {0, 2000}}, no_more = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = do_nothing};
    unsigned ms = 0;
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
    int result = lg_sem_timedwait(&slots, LIMIT_MS);
    setitimer(ITIMER_REAL, &no_more, NULL);
    ck_assert_int_eq(result, ETIMEDOUT);
    ck_assert_uint_eq(line_count, 1);
    const char *event = strstr(lines[0], ": timeout after ");
    ck_assert_msg(event != NULL && sscanf(event, ": timeout after %u ms", &ms) == 1, "%s", lines[0]);
    ck_assert_msg(ms >= LIMIT_MS, "%s", lines[0]);
}
END_TEST

/* ---- groups ---- */

START_TEST(other_lines_have_the_group_too) {
    lg_mutex_t own;
    ck_assert_int_eq(lg_mutex_init(&own, "own", LEVEL), 0);
    lg_mutex_set_group(&own, &session);
    ck_assert_int_eq(lg_mutex_unlock(&own), EPERM);
    ck_assert_msg(strstr(lines[0], "]: session 17: own lock 0x") != NULL, "%s", lines[0]);
    LG_OPERATION("scrape") lg_mutex_unlock(&own);
    ck_assert_msg(strstr(lines[1], "]: scrape: session 17: own lock 0x") != NULL, "%s", lines[1]);
    lg_mutex_set_group(&own, NULL);
    ck_assert_int_eq(lg_mutex_unlock(&own), EPERM);
    ck_assert_msg(strstr(lines[2], "]: own lock 0x") != NULL, "%s", lines[2]);
    lg_mutex_set_group(&own, &session);
    LG_WITH(&own) lg_held_dump();
    ck_assert_msg(strstr(lines[4], "]: session 17: own lock 0x") != NULL, "%s", lines[4]);
}
END_TEST

/* A group without a name has only its limit and its policy. */
START_TEST(a_group_without_a_name_is_not_named) {
    lg_mutex_t own = LG_MUTEX_INITIALIZER("own", LEVEL);
    lg_group_t nameless = {NULL, LG_DEFAULT_TIMEOUT, LG_DEFAULT};
    lg_mutex_set_group(&own, &nameless);
    ck_assert_int_eq(lg_mutex_unlock(&own), EPERM);
    ck_assert_msg(strstr(lines[0], "]: own lock 0x") != NULL, "%s", lines[0]);
}
END_TEST

/* Its memory is gone while it is held: a mistake, but none to crash on. */
START_TEST(a_group_that_is_gone_is_not_named) {
    lg_mutex_t *own = mmap(NULL, sizeof *own, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(lg_mutex_init(own, "own", LEVEL), 0);
    lg_mutex_set_group(own, &session);
    ck_assert_int_eq(lg_mutex_lock(own), 0);
    munmap(own, sizeof *own);
    lg_held_dump();
    ck_assert_msg(strstr(lines[0], "]: own lock 0x") != NULL || strstr(lines[1], "]: own lock 0x") != NULL,
                  "%s\n%s", lines[0], lines[1]);
}
END_TEST

int main(void) {
    if (freopen("/dev/null", "w", stderr) == NULL)
        return EXIT_FAILURE;
    Suite *suite = suite_create("wrapper_limit_log");
    TCase *tests = tcase_create("lines");
    tcase_set_timeout(tests, FOREVER_S);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_limit_that_passes_is_told_once, 0, sizeof attempts / sizeof *attempts);
    tcase_add_test(tests, ones_own_hold_is_told);
    tcase_add_test(tests, none_to_spare_is_not_told);
    tcase_add_test(tests, a_plain_call_is_not_told);
    tcase_add_test(tests, a_signal_that_does_not_come_is_not_told);
    tcase_add_test(tests, a_wait_for_a_slot_goes_on_after_signals);
    tcase_add_test(tests, other_lines_have_the_group_too);
    tcase_add_test(tests, a_group_without_a_name_is_not_named);
    tcase_add_test(tests, a_group_that_is_gone_is_not_named);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
