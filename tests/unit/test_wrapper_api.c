/* The lg_ functions, linked as a program links them: what each returns, and when. */
#include <check.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <lockgraph/lockgraph.h>
#include <lockgraph/options.h>

enum { LOW = 10, HIGH = 20, KEYED = 30, SHORT_MS = 200, LATE_MS = 50, FOREVER_MS = 20000 };

const char *lg_default_options(void) { return "verdict=0:data=" WRAPPER_DATA; }

static double now_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

/* ---- somebody else who holds it ---- */

struct other {
    pthread_t thread;
    void (*take)(void *), (*give)(void *);
    void *lock;
    sem_t taken, enough;
};
static void *hold(void *argument) {
    struct other *other = argument;
    other->take(other->lock);
    sem_post(&other->taken);
    sem_wait(&other->enough);
    other->give(other->lock);
    return NULL;
}
static void start(struct other *other, void (*take)(void *), void (*give)(void *), void *lock) {
    *other = (struct other){.take = take, .give = give, .lock = lock};
    sem_init(&other->taken, 0, 0);
    sem_init(&other->enough, 0, 0);
    ck_assert_int_eq(pthread_create(&other->thread, NULL, hold, other), 0);
    sem_wait(&other->taken);
}
static void stop(struct other *other) {
    sem_post(&other->enough);
    pthread_join(other->thread, NULL);
}

static void mutex_take(void *m) { ck_assert_int_eq(lg_mutex_lock(m), 0); }
static void mutex_give(void *m) { ck_assert_int_eq(lg_mutex_unlock(m), 0); }
static void rwlock_write(void *l) { ck_assert_int_eq(lg_rwlock_wrlock(l), 0); }
static void rwlock_give(void *l) { ck_assert_int_eq(lg_rwlock_unlock(l), 0); }
static void slot_take(void *s) { ck_assert_int_eq(lg_sem_wait(s), 0); }
static void slot_give(void *s) { ck_assert_int_eq(lg_sem_post(s), 0); }
static void spin_take(void *l) { ck_assert_int_eq(lg_spin_lock(l), 0); }
static void spin_give(void *l) { ck_assert_int_eq(lg_spin_unlock(l), 0); }

/* Never early; late by what a busy machine makes of it. */
#define IN_TIME(call)                                                                                        \
    do {                                                                                                     \
        double before = now_ms();                                                                            \
        ck_assert_int_eq((call), ETIMEDOUT);                                                                 \
        double took = now_ms() - before;                                                                     \
        ck_assert_double_ge(took, SHORT_MS);                                                                 \
        ck_assert_double_le(took, (SHORT_MS * 1.1 + LATE_MS) * slowness());                                  \
    } while (0)
static double slowness(void) {
    const char *text = getenv("LOCKGRAPH_TEST_SLOWNESS");
    return text ? atof(text) : 1;
}

/* ---- mutex ---- */

START_TEST(mutex_results) {
    lg_mutex_t m;
    ck_assert_int_eq(lg_mutex_init(&m, "m", -1), EINVAL);
    ck_assert_int_eq(lg_mutex_init(&m, "m", 32768), EINVAL);
    ck_assert_int_eq(lg_mutex_init(&m, "m", LOW), 0);
    ck_assert_int_eq(lg_mutex_unlock(&m), EPERM);
    ck_assert_int_eq(lg_mutex_lock(&m), 0);
    ck_assert_int_eq(lg_mutex_trylock(&m), EBUSY);
    ck_assert_int_eq(lg_mutex_unlock(&m), 0);
    ck_assert_int_eq(lg_mutex_unlock(&m), EPERM);
    ck_assert_int_eq(lg_mutex_trylock(&m), 0);
    ck_assert_int_eq(lg_mutex_unlock(&m), 0);
    ck_assert_int_eq(lg_mutex_timedlock(&m, 0), 0);
    ck_assert_int_eq(lg_mutex_unlock(&m), 0);
    ck_assert_int_eq(lg_mutex_destroy(&m), 0);
}
END_TEST

START_TEST(mutex_without_name_or_level) {
    lg_mutex_t m, level_only;
    ck_assert_int_eq(lg_mutex_init(&m, NULL, LG_NO_LEVEL), 0);
    ck_assert_int_eq(lg_mutex_init(&level_only, NULL, LOW), 0);
    ck_assert_int_eq(lg_mutex_lock(&m), 0);
    ck_assert_int_eq(lg_mutex_lock(&level_only), 0);
    ck_assert_int_eq(lg_mutex_unlock(&m), 0);
    ck_assert_int_eq(lg_mutex_unlock(&level_only), 0);
}
END_TEST

START_TEST(mutex_limits) {
    lg_mutex_t m = LG_MUTEX_INITIALIZER("m", LOW), next = LG_MUTEX_INITIALIZER("next", LOW);
    lg_group_t group = {"group", SHORT_MS, LG_DEFAULT};
    struct other other;
    start(&other, mutex_take, mutex_give, &m);
    IN_TIME(lg_mutex_timedlock(&m, SHORT_MS));
    ck_assert_int_eq(lg_mutex_timedlock(&m, 0), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_timedlock(&m, -1), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_unlock(&m), EPERM);
    lg_mutex_set_timeout(&m, SHORT_MS);
    IN_TIME(lg_mutex_lock(&m));
    lg_mutex_set_timeout(&m, LG_DEFAULT_TIMEOUT);
    lg_mutex_set_group(&m, &group);
    IN_TIME(lg_mutex_lock(&m));
    lg_mutex_set_group(&m, NULL);
    lg_default_timeout(SHORT_MS);
    IN_TIME(lg_mutex_lock(&m));
    lg_default_timeout(LG_DEFAULT_TIMEOUT);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    ck_assert_int_eq(lg_mutex_lock_until(&m, &until), ETIMEDOUT);
    ck_assert_int_eq(lg_may_acquire(LOW), 1); /* nothing is left held */
    ck_assert_int_eq(lg_mutex_lock(&next), 0);
    ck_assert_int_eq(lg_mutex_unlock(&next), 0);
    stop(&other);
    ck_assert_int_eq(lg_mutex_lock(&m), 0);
    ck_assert_int_eq(lg_mutex_unlock(&m), 0);
}
END_TEST

static _Atomic int got;
static void *wait_without_limit(void *m) {
    got = lg_mutex_lock(m) == 0 ? 1 : -1;
    lg_mutex_unlock(m);
    return NULL;
}

START_TEST(no_limit_waits_on) {
    lg_mutex_t m = LG_MUTEX_INITIALIZER("m", LOW);
    pthread_t thread;
    lg_default_timeout(1);
    lg_mutex_set_timeout(&m, LG_NO_TIMEOUT);
    ck_assert_int_eq(lg_mutex_lock(&m), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_without_limit, &m), 0);
    struct timespec while_ = {0, SHORT_MS * 1000000L};
    nanosleep(&while_, NULL);
    ck_assert_int_eq(got, 0);
    ck_assert_int_eq(lg_mutex_unlock(&m), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(got, 1);
    lg_default_timeout(LG_DEFAULT_TIMEOUT);
}
END_TEST

/* ---- other kinds ---- */

START_TEST(rwlock_results) {
    lg_rwlock_t l;
    ck_assert_int_eq(lg_rwlock_init(&l, "l", 40000), EINVAL);
    ck_assert_int_eq(lg_rwlock_init(&l, "l", LOW), 0);
    ck_assert_int_eq(lg_rwlock_rdlock(&l), 0);
    ck_assert_int_eq(lg_rwlock_tryrdlock(&l), 0);
    ck_assert_int_eq(lg_rwlock_trywrlock(&l), EBUSY);
    ck_assert_int_eq(lg_rwlock_unlock(&l), 0);
    ck_assert_int_eq(lg_rwlock_unlock(&l), 0);
    ck_assert_int_eq(lg_rwlock_trywrlock(&l), 0);
    ck_assert_int_eq(lg_rwlock_unlock(&l), 0);
    struct other other;
    start(&other, rwlock_write, rwlock_give, &l);
    IN_TIME(lg_rwlock_timedrdlock(&l, SHORT_MS));
    IN_TIME(lg_rwlock_timedwrlock(&l, SHORT_MS));
    lg_rwlock_set_timeout(&l, SHORT_MS);
    IN_TIME(lg_rwlock_rdlock(&l));
    IN_TIME(lg_rwlock_wrlock(&l));
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    ck_assert_int_eq(lg_rwlock_rdlock_until(&l, &until), ETIMEDOUT);
    ck_assert_int_eq(lg_rwlock_wrlock_until(&l, &until), ETIMEDOUT);
    stop(&other);
    ck_assert_int_eq(lg_rwlock_destroy(&l), 0);
}
END_TEST

START_TEST(semaphore_results) {
    lg_sem_t s;
    ck_assert_int_eq(lg_sem_init(&s, "s", -5, 1), EINVAL);
    ck_assert_int_eq(lg_sem_init(&s, "s", LOW, 1), 0);
    errno = 77;
    ck_assert_int_eq(lg_sem_trywait(&s), 0);
    ck_assert_int_eq(lg_sem_trywait(&s), EBUSY);
    ck_assert_int_eq(lg_sem_post(&s), 0);
    struct other other;
    start(&other, slot_take, slot_give, &s);
    IN_TIME(lg_sem_timedwait(&s, SHORT_MS));
    lg_sem_set_timeout(&s, SHORT_MS);
    IN_TIME(lg_sem_wait(&s));
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    ck_assert_int_eq(lg_sem_wait_until(&s, &until), ETIMEDOUT);
    ck_assert_int_eq(errno, 77);
    stop(&other);
    ck_assert_int_eq(lg_sem_wait(&s), 0);
    ck_assert_int_eq(lg_sem_post(&s), 0);
    ck_assert_int_eq(lg_sem_destroy(&s), 0);
}
END_TEST

static _Atomic unsigned interruptions;
static void count_interruption(int number) {
    (void)number;
    interruptions++;
}
/* A signal so often, whose handler does not have calls restarted; 0: no more. */
static void interrupt_us(long us) {
    struct itimerval timer = {{0, us}, {0, us}};
    struct sigaction action = {.sa_handler = count_interruption};
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

START_TEST(limits_last_while_signals_arrive) {
    lg_mutex_t m = LG_MUTEX_INITIALIZER("m", LOW), own = LG_MUTEX_INITIALIZER("own", LG_NO_LEVEL);
    lg_rwlock_t l = LG_RWLOCK_INITIALIZER("l", LOW);
    lg_cond_t c = LG_COND_INITIALIZER;
    lg_sem_t s;
    struct other holder, writer;
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    ck_assert_int_eq(lg_sem_init(&s, "s", LOW, 0), 0);
    pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* by the others */
    start(&holder, mutex_take, mutex_give, &m);
    start(&writer, rwlock_write, rwlock_give, &l);
    pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    interrupt_us(1000);
    IN_TIME(lg_mutex_timedlock(&m, SHORT_MS));
    IN_TIME(lg_rwlock_timedrdlock(&l, SHORT_MS));
    IN_TIME(lg_rwlock_timedwrlock(&l, SHORT_MS));
    IN_TIME(lg_sem_timedwait(&s, SHORT_MS));
    ck_assert_int_eq(lg_mutex_lock(&own), 0);
    IN_TIME(lg_cond_timedwait(&c, &own, SHORT_MS));
    ck_assert_int_eq(lg_mutex_unlock(&own), 0);
    interrupt_us(0);
    ck_assert_uint_gt(interruptions, 10);
    stop(&holder);
    stop(&writer);
}
END_TEST

START_TEST(spinlock_results) {
    lg_spin_t l;
    ck_assert_int_eq(lg_spin_init(&l, "l", 70000), EINVAL);
    ck_assert_int_eq(lg_spin_init(&l, "l", LOW), 0);
    ck_assert_int_eq(lg_spin_lock(&l), 0);
    ck_assert_int_eq(lg_spin_unlock(&l), 0);
    struct other other;
    start(&other, spin_take, spin_give, &l);
    ck_assert_int_eq(lg_spin_trylock(&l), EBUSY);
    stop(&other);
    ck_assert_int_eq(lg_spin_trylock(&l), 0);
    ck_assert_int_eq(lg_spin_unlock(&l), 0);
    ck_assert_int_eq(lg_spin_destroy(&l), 0);
}
END_TEST

static lg_mutex_t ready_mutex = LG_MUTEX_INITIALIZER("ready", LOW);
static lg_cond_t ready_cond = LG_COND_INITIALIZER;
static bool ready;
static void *make_ready(void *nothing) {
    LG_WITH(&ready_mutex) {
        ready = true;
        lg_cond_broadcast(&ready_cond);
    }
    return nothing;
}

START_TEST(condition_results) {
    pthread_t thread;
    ck_assert_int_eq(lg_mutex_lock(&ready_mutex), 0);
    IN_TIME(lg_cond_timedwait(&ready_cond, &ready_mutex, SHORT_MS));
    lg_assert_held(&ready_mutex);
    ck_assert_int_eq(lg_may_acquire(LOW), 0); /* it is held again, with its level */
    ck_assert_int_eq(pthread_create(&thread, NULL, make_ready, NULL), 0);
    while (!ready)
        ck_assert_int_eq(lg_cond_wait(&ready_cond, &ready_mutex), 0);
    ck_assert_int_eq(lg_mutex_unlock(&ready_mutex), 0);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(condition_until) {
    struct timespec at, wrong = {0, 2000000000};
    ck_assert_int_eq(lg_mutex_lock(&ready_mutex), 0);
    double begun = now_ms();
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += SHORT_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    ck_assert_int_eq(lg_cond_wait_until(&ready_cond, &ready_mutex, &at), ETIMEDOUT);
    ck_assert(now_ms() - begun >= SHORT_MS - 1);
    ck_assert_int_eq(lg_cond_wait_until(&ready_cond, &ready_mutex, &at), ETIMEDOUT); /* it is over */
    ck_assert_int_eq(lg_cond_wait_until(&ready_cond, &ready_mutex, &wrong), EINVAL);
    lg_assert_held(&ready_mutex);
    ck_assert_int_eq(lg_mutex_unlock(&ready_mutex), 0);
}
END_TEST

/* A higher key may follow a lower one, and no other. */
START_TEST(made_with_keys) {
    lg_mutex_t first, second;
    lg_rwlock_t third;
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_mutex_init_keyed(&first, "m", 0x8000, 1), EINVAL);
    ck_assert_int_eq(lg_rwlock_init_keyed(&third, "l", -1, 1), EINVAL);
    ck_assert_int_eq(lg_mutex_init_keyed(&first, "m", KEYED, 1), 0);
    ck_assert_int_eq(lg_mutex_init_keyed(&second, "m", KEYED, 2), 0);
    ck_assert_int_eq(lg_rwlock_init_keyed(&third, "l", KEYED, 3), 0);
    ck_assert_int_eq(lg_mutex_lock(&first), 0);
    ck_assert_int_eq(lg_mutex_lock(&second), 0);
    ck_assert_int_eq(lg_rwlock_wrlock(&third), 0);
    ck_assert_int_eq(lg_rwlock_unlock(&third), 0);
    ck_assert_int_eq(lg_mutex_unlock(&first), 0);
    ck_assert_int_eq(lg_mutex_lock(&first), EDEADLK);
    ck_assert_int_eq(lg_mutex_unlock(&second), 0);
    ck_assert_int_eq(lg_rwlock_rdlock(&third), 0);
    ck_assert_int_eq(lg_mutex_lock(&second), EDEADLK);
    ck_assert_int_eq(lg_rwlock_unlock(&third), 0);
    ck_assert_int_eq(lg_mutex_destroy(&first) + lg_mutex_destroy(&second) + lg_rwlock_destroy(&third), 0);
}
END_TEST

/* Made by their init functions as good as by a macro. */
static const int out_of_range[] = {-1, 32768, 65536 + LOW, INT_MAX, INT_MIN};

START_TEST(levels_out_of_range) {
    lg_mutex_t m = LG_MUTEX_INITIALIZER("m", LOW);
    lg_rwlock_t l;
    lg_sem_t s;
    lg_spin_t p;
    int level = out_of_range[_i];
    ck_assert_int_eq(lg_mutex_init(&m, "m", level), EINVAL);
    ck_assert_int_eq(lg_mutex_init_keyed(&m, "m", level, 1), EINVAL);
    ck_assert_int_eq(lg_rwlock_init(&l, "l", level), EINVAL);
    ck_assert_int_eq(lg_rwlock_init_keyed(&l, "l", level, 1), EINVAL);
    ck_assert_int_eq(lg_sem_init(&s, "s", level, 1), EINVAL);
    ck_assert_int_eq(lg_spin_init(&p, "p", level), EINVAL);
    ck_assert_int_eq(lg_may_acquire(level), 0);
    ck_assert_int_eq(lg_mutex_lock(&m), 0); /* as it was */
    ck_assert_int_eq(lg_mutex_unlock(&m), 0);
}
END_TEST

START_TEST(all_kinds_that_were_made_have_their_level) {
    lg_mutex_t mutex, low = LG_MUTEX_INITIALIZER("low", LOW);
    lg_rwlock_t lock;
    lg_sem_t slots;
    lg_spin_t spin;
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_mutex_init(&mutex, "m", HIGH), 0);
    ck_assert_int_eq(lg_rwlock_init(&lock, "l", HIGH), 0);
    ck_assert_int_eq(lg_sem_init(&slots, "s", HIGH, 1), 0);
    ck_assert_int_eq(lg_spin_init(&spin, "p", HIGH), 0);
    mutex_take(&mutex);
    ck_assert_int_eq(lg_mutex_lock(&low), EDEADLK);
    mutex_give(&mutex);
    rwlock_write(&lock);
    ck_assert_int_eq(lg_mutex_lock(&low), EDEADLK);
    rwlock_give(&lock);
    slot_take(&slots);
    ck_assert_int_eq(lg_mutex_lock(&low), EDEADLK);
    slot_give(&slots);
    spin_take(&spin);
    ck_assert_int_eq(lg_mutex_lock(&low), EDEADLK);
    spin_give(&spin);
    ck_assert_int_eq(lg_mutex_lock(&low), 0);
    ck_assert_int_eq(lg_rwlock_rdlock(&lock), 0);
    rwlock_give(&lock);
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
}
END_TEST

static unsigned failed_assertions;
static void count_failed(const struct lg_finding *finding, void *user) {
    (void)user;
    failed_assertions += strcmp(finding->kind, "assert-failed") == 0;
}

START_TEST(assertions_about_levels) {
    lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW);
    lg_on_finding(count_failed, NULL);
    ck_assert_int_eq(lg_mutex_lock(&low), 0);
    lg_assert_may_acquire(HIGH);
    ck_assert_uint_eq(failed_assertions, 0);
    lg_assert_may_acquire(LOW);
    ck_assert_uint_eq(failed_assertions, 1);
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
    lg_assert_may_acquire(LOW);
    ck_assert_uint_eq(failed_assertions, 1);
    lg_assert_may_acquire(0); /* no level */
    ck_assert_uint_eq(failed_assertions, 2);
}
END_TEST

/* It is what it was declared as also where its first use was a wrong one. */
START_TEST(wrong_first_uses_cost_no_level) {
    lg_mutex_t given = LG_MUTEX_INITIALIZER("given", LOW), pinned = LG_MUTEX_INITIALIZER("pinned", LOW),
               asserted = LG_MUTEX_INITIALIZER("asserted", LOW), high = LG_MUTEX_INITIALIZER("high", HIGH);
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_mutex_unlock(&given), EPERM);
    ck_assert_int_eq(lg_mutex_pin(&pinned), EPERM);
    lg_assert_held(&asserted);
    mutex_take(&high);
    ck_assert_int_eq(lg_mutex_lock(&given), EDEADLK);
    ck_assert_int_eq(lg_mutex_lock(&pinned), EDEADLK);
    ck_assert_int_eq(lg_mutex_lock(&asserted), EDEADLK);
    mutex_give(&high);
}
END_TEST

START_TEST(condition_refused_under_a_higher_lock) {
    lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW), high = LG_MUTEX_INITIALIZER("high", HIGH);
    lg_cond_t condition = LG_COND_INITIALIZER;
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_mutex_lock(&low), 0);
    ck_assert_int_eq(lg_mutex_lock(&high), 0);
    ck_assert_int_eq(lg_cond_timedwait(&condition, &low, 1), EDEADLK);
    ck_assert_int_eq(lg_mutex_unlock(&high), 0);
    ck_assert_int_eq(lg_cond_timedwait(&condition, &low, 1), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
}
END_TEST

/* ---- levels ---- */

START_TEST(refused_takes_nothing) {
    lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW), high = LG_MUTEX_INITIALIZER("high", HIGH);
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_mutex_lock(&high), 0);
    ck_assert_int_eq(lg_may_acquire(LOW), 0);
    ck_assert_int_eq(lg_may_acquire(HIGH + 1), 1);
    ck_assert_int_eq(lg_mutex_lock(&low), EDEADLK);
    ck_assert_int_eq(lg_mutex_timedlock(&low, SHORT_MS), EDEADLK);
    ck_assert_int_eq(lg_mutex_unlock(&low), EPERM);
    ck_assert_int_eq(lg_mutex_trylock(&low), 0); /* exempt */
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
    lg_on_violation(LG_DEFAULT);
    ck_assert_int_eq(lg_mutex_lock(&low), 0); /* reported, and taken */
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
    ck_assert_int_eq(lg_mutex_unlock(&high), 0);
}
END_TEST

START_TEST(refused_by_group) {
    lg_group_t strict = {"strict", LG_DEFAULT_TIMEOUT, LG_REFUSE};
    lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW), high = LG_MUTEX_INITIALIZER("high", HIGH);
    lg_mutex_set_group(&low, &strict);
    ck_assert_int_eq(lg_mutex_lock(&high), 0);
    ck_assert_int_eq(lg_mutex_lock(&low), EDEADLK);
    lg_mutex_set_group(&low, NULL);
    ck_assert_int_eq(lg_mutex_lock(&low), 0);
    ck_assert_int_eq(lg_mutex_unlock(&low), 0);
    ck_assert_int_eq(lg_mutex_unlock(&high), 0);
}
END_TEST

static char violation[1024];
static void keep_violation(const struct lg_finding *finding, void *user) {
    (void)user;
    ck_assert_str_eq(finding->kind, "level-violation");
    snprintf(violation, sizeof violation, "%s", finding->text);
}

/* At once, where nobody runs `lockgraph report` before the program goes on. */
START_TEST(a_violation_names_both_locks_and_levels) {
    lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW), high = LG_MUTEX_INITIALIZER("high", HIGH),
               more = LG_MUTEX_INITIALIZER("more", LG_NO_LEVEL);
    lg_on_finding(keep_violation, NULL);
    mutex_take(&high);
    mutex_take(&more);
    mutex_take(&low);
    lg_on_finding(NULL, NULL);
    unsigned thread;
    int end = 0;
    const char *locks = strstr(violation, "  T");
    ck_assert_msg(locks != NULL &&
                      sscanf(locks,
                             "  T%u, low lock 0x%*x (level 10), while it holds high lock 0x%*x (level 20)%n",
                             &thread, &end) == 1 &&
                      end != 0,
                  "%s", violation);
    mutex_give(&low);
    mutex_give(&more);
    mutex_give(&high);
}
END_TEST

START_TEST(all_kinds_are_refused) {
    lg_rwlock_t rwlock = LG_RWLOCK_INITIALIZER("rwlock", LOW);
    lg_mutex_t high = LG_MUTEX_INITIALIZER("high", HIGH);
    lg_sem_t semaphore;
    lg_spin_t spin;
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_sem_init(&semaphore, "semaphore", LOW, 1), 0);
    ck_assert_int_eq(lg_spin_init(&spin, "spin", LOW), 0);
    ck_assert_int_eq(lg_mutex_lock(&high), 0);
    ck_assert_int_eq(lg_rwlock_rdlock(&rwlock), EDEADLK);
    ck_assert_int_eq(lg_rwlock_wrlock(&rwlock), EDEADLK);
    ck_assert_int_eq(lg_sem_wait(&semaphore), EDEADLK);
    ck_assert_int_eq(lg_spin_lock(&spin), EDEADLK);
    ck_assert_int_eq(lg_mutex_unlock(&high), 0);
    ck_assert_int_eq(lg_sem_wait(&semaphore), 0);
    ck_assert_int_eq(lg_sem_post(&semaphore), 0);
}
END_TEST

START_TEST(abort_ends_the_program) {
    lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW), high = LG_MUTEX_INITIALIZER("high", HIGH);
    lg_on_violation(LG_ABORT);
    ck_assert_int_eq(lg_mutex_lock(&high), 0);
    lg_mutex_lock(&low);
}
END_TEST

/* ---- scopes, several at once ---- */

static lg_mutex_t scope = LG_MUTEX_INITIALIZER("scope", LOW);
static int returns_inside(void) {
    LG_WITH(&scope) { return 5; }
    return 0;
}

/* Each of these leaves the block, the last two also a block around it. */
static int continues_inside(void) {
    int after = 0;
    LG_WITH(&scope) { continue; }
    after++;
    return after;
}
static int goes_out_and_in_again(void) {
    int rounds = 0;
again:
    LG_WITH(&scope) {
        if (++rounds < 3)
            goto again;
    }
    return rounds;
}
static int returns_from_two(lg_mutex_t *inner) {
    LG_WITH(&scope) {
        LG_WITH(inner) { return 7; }
    }
    return 0;
}

START_TEST(ways_out_of_scopes) {
    lg_mutex_t inner = LG_MUTEX_INITIALIZER("inner", HIGH);
    lg_on_violation(LG_REFUSE); /* and EDEADLK, where one were still held */
    ck_assert_int_eq(continues_inside(), 1);
    ck_assert_int_eq(lg_mutex_unlock(&scope), EPERM);
    ck_assert_int_eq(goes_out_and_in_again(), 3);
    ck_assert_int_eq(lg_mutex_unlock(&scope), EPERM);
    ck_assert_int_eq(returns_from_two(&inner), 7);
    ck_assert_int_eq(lg_mutex_unlock(&inner), EPERM);
    ck_assert_int_eq(lg_mutex_unlock(&scope), EPERM);
    LG_WITH(&scope) { ck_assert_int_eq(lg_mutex_unlock(&scope), 0); } /* given up by hand: told, no more */
    ck_assert_int_eq(lg_mutex_lock(&scope), 0);
    ck_assert_int_eq(lg_mutex_unlock(&scope), 0);
}
END_TEST

START_TEST(scopes) {
    ck_assert_int_eq(returns_inside(), 5);
    ck_assert_int_eq(lg_mutex_unlock(&scope), EPERM);
    LG_WITH(&scope) { break; }
    ck_assert_int_eq(lg_mutex_unlock(&scope), EPERM);
    int rounds = 0;
    LG_WITH(&scope) { rounds++; }
    ck_assert_int_eq(rounds, 1);
    struct other other;
    start(&other, mutex_take, mutex_give, &scope);
    lg_mutex_set_timeout(&scope, 1);
    LG_WITH(&scope) { ck_abort_msg("somebody else has it"); }
    else {
        rounds = lg_with_error;
    }
    ck_assert_int_eq(rounds, ETIMEDOUT);
    stop(&other);
    lg_mutex_set_timeout(&scope, LG_DEFAULT_TIMEOUT);
}
END_TEST

START_TEST(several_in_order) {
    lg_mutex_t low = LG_MUTEX_INITIALIZER("low", LOW), one = LG_MUTEX_INITIALIZER_KEYED("keyed", KEYED, 1),
               two = LG_MUTEX_INITIALIZER_KEYED("keyed", KEYED, 2);
    lg_mutex_t *const all[] = {&two, &low, &one}, *const twice[] = {&one, &low, &one};
    lg_on_violation(LG_REFUSE);
    ck_assert_int_eq(lg_lock_all(all, 3), 0);
    lg_unlock_all(all, 3);
    ck_assert_int_eq(lg_lock_all(twice, 3), EINVAL);
    ck_assert_int_eq(lg_mutex_unlock(&one), EPERM);
    ck_assert_int_eq(lg_mutex_unlock(&low), EPERM);
    struct other other;
    start(&other, mutex_take, mutex_give, &two);
    lg_mutex_set_timeout(&two, 1);
    ck_assert_int_eq(lg_lock_all(all, 3), ETIMEDOUT);
    ck_assert_int_eq(lg_mutex_unlock(&one), EPERM);
    stop(&other);
}
END_TEST

int main(void) {
    /* What is provoked here is told on the standard error, which is not ours then. */
    if (freopen("/dev/null", "w", stderr) == NULL)
        return EXIT_FAILURE;
    Suite *suite = suite_create("wrapper_api");
    TCase *tests = tcase_create("calls");
    tcase_set_timeout(tests, FOREVER_MS / 1000);
    tcase_add_test(tests, mutex_results);
    tcase_add_test(tests, mutex_without_name_or_level);
    tcase_add_test(tests, mutex_limits);
    tcase_add_test(tests, no_limit_waits_on);
    tcase_add_test(tests, rwlock_results);
    tcase_add_test(tests, semaphore_results);
    tcase_add_test(tests, limits_last_while_signals_arrive);
    tcase_add_test(tests, spinlock_results);
    tcase_add_test(tests, condition_results);
    tcase_add_test(tests, condition_until);
    tcase_add_test(tests, made_with_keys);
    tcase_add_loop_test(tests, levels_out_of_range, 0, sizeof out_of_range / sizeof *out_of_range);
    tcase_add_test(tests, all_kinds_that_were_made_have_their_level);
    tcase_add_test(tests, assertions_about_levels);
    tcase_add_test(tests, wrong_first_uses_cost_no_level);
    tcase_add_test(tests, condition_refused_under_a_higher_lock);
    tcase_add_test(tests, refused_takes_nothing);
    tcase_add_test(tests, refused_by_group);
    tcase_add_test(tests, a_violation_names_both_locks_and_levels);
    tcase_add_test(tests, all_kinds_are_refused);
    tcase_add_test_raise_signal(tests, abort_ends_the_program, SIGABRT);
    tcase_add_test(tests, ways_out_of_scopes);
    tcase_add_test(tests, scopes);
    tcase_add_test(tests, several_in_order);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
