/* What the other test_engine_* suites leave of engine.h: figures, orders other
 * than creation and join, severities, searches put off, many threads at once. */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/collect.h"
#include "engine/dependency.h"
#include "engine/graph.h"
#include "engine/lifecycle.h"
#include "engine/past.h"
#include "engine/thread.h"
#include "engine_support.h"

static struct lge_figures figures(void) {
    struct lge_figures now;
    memset(&now, 0xff, sizeof now);
    lge_figures(&now);
    return now;
}

START_TEST(figures_count) {
    struct lge_figures none = figures(), some;
    ck_assert_mem_eq(&none, &(struct lge_figures){0}, sizeof none);
    struct lge_thread *one = engine_thread(NULL), *two = engine_thread(one);
    uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b"), c = engine_lock(one, "c");
    engine_nest(one, a, b);
    engine_nest(two, b, a);
    engine_nest(two, b, c);
    some = figures();
    ck_assert_uint_eq(some.locks, 3);
    ck_assert_uint_eq(some.threads, 2);
    ck_assert_uint_eq(some.nested, 3);
    ck_assert_uint_eq(some.edges, 3);
    ck_assert_uint_eq(some.class_edges, 3);
    ck_assert_uint_ge(some.contexts, 3);
    ck_assert_uint_eq(some.findings, 1);
    ck_assert_uint_eq(some.contended, 0);
    ck_assert_uint_ge(some.dependencies, 3);
    ck_assert_uint_ge(some.searches, 1);
    ck_assert_uint_ge(some.search_steps, 1);
    ck_assert_uint_ge(some.reorders, 1);
    ck_assert_uint_eq(some.unwrapped, 0);
    ck_assert_uint_eq(some.degraded, 0);
}
END_TEST

START_TEST(a_destroyed_lock_takes_its_edges_along) {
    struct lge_thread *one = engine_thread(NULL), *two = engine_thread(NULL);
    uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b");
    engine_nest(one, a, b);
    lge_lock_destroyed(b);
    ck_assert_uint_eq(lge_edges_count(false), 0);
    b = engine_lock(one, "b"); /* another one at the same place, say */
    engine_nest(two, b, a);
    ck_assert_int_ne(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
    lge_lock_destroyed(a);
    lge_lock_destroyed(b);
    ck_assert_uint_eq(lge_edges_count(false), 0);
}
END_TEST

/* ---- orders ---- */

/* One takes a, b; two takes b, a; with what lies between. */
static void invert(struct lge_thread *one, struct lge_thread *two, struct lge_sync *sync,
                   enum lgr_reason kind) {
    uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b");
    engine_nest(one, a, b);
    if (sync != NULL) {
        lge_sync_release(one, sync);
        lge_sync_acquire(two, sync, kind);
    }
    engine_nest(two, b, a);
}

START_TEST(what_a_sync_point_orders_is_a_note) {
    static const enum lgr_reason kinds[] = {LGR_REASON_BARRIER, LGR_REASON_SEMAPHORE, LGR_REASON_CONDITION,
                                            LGR_REASON_ONCE};
    for (int i = 0; i < 4; i++) {
        engine_again();
        struct lge_sync *sync = lge_sync_new();
        invert(engine_thread(NULL), engine_thread(NULL), sync, kinds[i]);
        ck_assert_uint_eq(engine_seen.count, 1);
        ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ORDERED);
        ck_assert_int_eq(engine_seen.last.severity, LGR_NOTE);
        ck_assert_int_eq(engine_seen.last.reason_kind, kinds[i]);
        lge_sync_free(sync);
    }
    engine_again();
    invert(engine_thread(NULL), engine_thread(NULL), NULL, LGR_REASON_NONE);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
    ck_assert_int_eq(engine_seen.last.severity, LGR_ERROR);
}
END_TEST

START_TEST(a_sync_point_orders_one_way) {
    struct lge_thread *one = engine_thread(NULL), *two = engine_thread(NULL);
    struct lge_sync *sync = lge_sync_new();
    lge_sync_release(two, sync); /* two first, to no purpose */
    lge_sync_acquire(one, sync, LGR_REASON_SEMAPHORE);
    invert(one, two, NULL, LGR_REASON_NONE);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
    lge_sync_free(sync);
}
END_TEST

/* Threads that come, tell something and go: what is handed on names those alone
 * whose evidence is kept. */
START_TEST(what_is_handed_on_forgets_the_gone) {
    enum { GONE = 2000 };
    struct lge_thread *reader = engine_thread(NULL);
    uint64_t a = engine_lock(reader, "a"), b = engine_lock(reader, "b");
    struct lge_sync *sync = lge_sync_new();
    for (int i = 0; i < GONE; i++) {
        struct lge_thread *thread = engine_thread(NULL), *collector = engine_thread(NULL);
        engine_nest(thread, a, b);
        lge_sync_release(thread, sync);
        lge_thread_end(thread);
        lge_thread_joined(collector, thread, lge_thread_serial(thread));
        lge_thread_abandon(collector);
    }
    lge_sync_acquire(reader, sync, LGR_REASON_CONDITION);
    ck_assert_ptr_nonnull(reader->past);
    ck_assert_uint_lt(reader->past->count, 100);
    lge_sync_free(sync);
}
END_TEST

/* As a barrier: all flow in, then all take what flowed in. */
START_TEST(a_barrier_orders_all_with_all) {
    enum { ALL = 4 };
    struct lge_thread *threads[ALL];
    uint64_t locks[ALL];
    struct lge_sync *barrier = lge_sync_new();
    for (int i = 0; i < ALL; i++) {
        char name[] = {'b', (char)('0' + i), 0};
        threads[i] = engine_thread(NULL);
        locks[i] = engine_lock(threads[i], name);
    }
    for (int i = 0; i + 1 < ALL; i++)
        engine_nest(threads[i], locks[i], locks[i + 1]);
    for (int i = 0; i < ALL; i++)
        lge_sync_release(threads[i], barrier);
    for (int i = 0; i < ALL; i++)
        lge_sync_acquire(threads[i], barrier, LGR_REASON_BARRIER);
    engine_nest(threads[ALL - 1], locks[ALL - 1], locks[0]);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ORDERED);
    ck_assert_int_eq(engine_seen.last.reason_kind, LGR_REASON_BARRIER);
    ck_assert_uint_eq(engine_seen.last.edge_count, ALL);
    lge_sync_free(barrier);
}
END_TEST

/* What a thread does after it released is not before the other's. */
START_TEST(after_the_release_nothing_is_ordered) {
    struct lge_thread *one = engine_thread(NULL), *two = engine_thread(NULL);
    struct lge_sync *sync = lge_sync_new();
    engine_nest(one, engine_lock(one, "x"), engine_lock(one, "y"));
    lge_sync_release(one, sync);
    lge_sync_acquire(two, sync, LGR_REASON_SEMAPHORE);
    invert(one, two, NULL, LGR_REASON_NONE);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
    uint32_t epoch = two->epoch;
    lge_sync_acquire(two, sync, LGR_REASON_SEMAPHORE); /* no news */
    ck_assert_uint_eq(two->epoch, epoch);
    lge_sync_free(sync);
}
END_TEST

START_TEST(an_order_is_passed_on) {
    struct lge_thread *one = engine_thread(NULL), *between = engine_thread(NULL), *two = engine_thread(NULL);
    struct lge_sync *first = lge_sync_new(), *second = lge_sync_new();
    uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b");
    engine_nest(one, a, b);
    lge_sync_release(one, first);
    lge_sync_acquire(between, first, LGR_REASON_SEMAPHORE);
    lge_sync_release(between, second);
    lge_sync_acquire(two, second, LGR_REASON_CONDITION);
    engine_nest(two, b, a);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ORDERED);
    lge_sync_free(first);
    lge_sync_free(second);
}
END_TEST

/* ---- severities ---- */

static struct lge_finding with_severity(uint8_t severity, bool note) {
    engine_config.severity_of_kind[LGR_KIND_ORDER_CYCLE] = severity;
    engine_again();
    struct lge_thread *one = engine_thread(NULL);
    invert(one, note ? one : engine_thread(NULL), NULL, LGR_REASON_NONE);
    engine_config.severity_of_kind[LGR_KIND_ORDER_CYCLE] = 0;
    return engine_seen.last;
}

START_TEST(a_kind_can_be_silenced_or_lowered) {
    ck_assert_int_eq(with_severity(0, false).severity, LGR_ERROR);
    ck_assert_int_eq(with_severity(LGR_WARNING, false).severity, LGR_WARNING);
    ck_assert_int_eq(with_severity(LGR_WARNING, true).severity, LGR_NOTE);
    with_severity(255, false);
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert_uint_eq(figures().findings, 0);
}
END_TEST

/* ---- searches put off ---- */

START_TEST(a_search_without_budget_is_taken_up_at_the_end) {
    engine_config.search_budget = 1;
    engine_again();
    engine_config.search_budget = 100000;
    struct lge_thread *one = engine_thread(NULL), *two = engine_thread(NULL), *three = engine_thread(NULL);
    uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b"), c = engine_lock(one, "c");
    engine_nest(one, a, b);
    engine_nest(one, b, c); /* does not fit: the same thread */
    engine_nest(two, b, c);
    engine_nest(three, c, a);
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert_uint_eq(figures().degraded, 0); /* nothing is lost yet */
    lge_finish();
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_uint_eq(figures().degraded, 0);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
    lge_finish();
    ck_assert_uint_eq(engine_seen.count, 1);
}
END_TEST

START_TEST(a_search_that_never_ends_is_told) {
    engine_config.search_budget = 0;
    engine_again();
    engine_config.search_budget = 100000;
    invert(engine_thread(NULL), engine_thread(NULL), NULL, LGR_REASON_NONE);
    ck_assert_uint_eq(figures().degraded, 0); /* there is time yet */
    lge_finish();
    ck_assert_uint_eq(figures().degraded, LGR_DEGRADED_SEARCH);
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

/* Every pair of many locks both ways by one thread: a few hundred searches. */
START_TEST(notes_are_looked_for_a_limited_number_of_times) {
    enum { MANY = 60 };
    struct lge_thread *one = engine_thread(NULL), *two = engine_thread(NULL);
    uint64_t all[MANY];
    for (int i = 0; i < MANY; i++)
        all[i] = engine_lock(one, "many");
    for (int i = 0; i < MANY; i++)
        for (int j = 0; j < MANY; j++)
            if (i != j)
                engine_nest(one, all[i], all[j]);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_SINGLE_THREAD);
    ck_assert_uint_lt(figures().searches, 600);
    engine_nest(two, all[1], all[0]); /* what is worse is still looked for */
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
}
END_TEST

START_TEST(a_search_put_off_may_have_lost_its_locks) {
    engine_config.search_budget = 0;
    engine_again();
    engine_config.search_budget = 100000;
    struct lge_thread *one = engine_thread(NULL), *two = engine_thread(NULL);
    for (int i = 0; i < 2; i++) {
        uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b");
        engine_nest(one, a, b);
        engine_nest(two, b, a);
        lge_lock_destroyed(a);
        if (i == 0)
            lge_finish();
    }
    ck_assert_uint_eq(engine_seen.count, 0); /* and the last one is forgotten by reset */
}
END_TEST

/* ---- many threads at once ---- */

enum { THREADS = 4, LOCKS = 12, ROUNDS = 1500 };
static struct lge_thread *workers[THREADS];
static uint64_t locks[LOCKS];
static _Atomic bool stop;

static uint32_t next_random(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

/* Up to four locks in ascending order: no inversion, whoever is when. */
static void *take_ascending(void *number) {
    intptr_t me = (intptr_t)number;
    uint32_t state = (uint32_t)me;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t first = next_random(&state) >> 16, chosen[4], count = 0;
        for (uint32_t i = first % LOCKS; i < LOCKS && count < 4; i += 1 + (next_random(&state) >> 16) % 3)
            chosen[count++] = i;
        for (uint32_t i = 0; i < count; i++) {
            struct lge_request request = engine_request(locks[chosen[i]]);
            lge_check(workers[me], &request);
            lge_acquired(workers[me], &request);
        }
        for (uint32_t i = count; i-- > 0;)
            lge_released(workers[me], (void *)(uintptr_t)locks[chosen[i]]);
    }
    return NULL;
}

static void start_workers(pthread_t *threads, void *(*routine)(void *)) {
    for (intptr_t i = 0; i < THREADS; i++) {
        workers[i] = engine_thread(NULL);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, routine, (void *)i), 0);
    }
}

static void join_workers(const pthread_t *threads) {
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void make_locks(void) {
    struct lge_thread *maker = engine_thread(NULL);
    for (int i = 0; i < LOCKS; i++) {
        char name[] = {'l', (char)('a' + i), 0};
        locks[i] = engine_lock(maker, name);
    }
}

START_TEST(threads_in_one_order_find_nothing) {
    pthread_t threads[THREADS];
    make_locks();
    start_workers(threads, take_ascending);
    join_workers(threads);
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert_uint_le(figures().edges, LOCKS * (LOCKS - 1) / 2);
    ck_assert_uint_gt(figures().edges, LOCKS);
    engine_nest(workers[0], locks[LOCKS - 1], locks[0]);
    ck_assert_uint_ge(engine_seen.count, 1); /* and the graph is in order */
}
END_TEST

/* Two locks, one way and the other, at the same time: never missed. */
static void *invert_once(void *number) {
    intptr_t me = (intptr_t)number;
    engine_take(workers[me], locks[me % 2]);
    engine_take(workers[me], locks[1 - me % 2]);
    return NULL;
}

START_TEST(an_inversion_at_the_same_moment_is_seen) {
    for (int round = 0; round < 100; round++) {
        pthread_t threads[THREADS];
        engine_again();
        make_locks();
        start_workers(threads, invert_once);
        join_workers(threads);
        ck_assert_uint_ge(engine_seen.count, 1);
        ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
    }
}
END_TEST

/* Fresh locks under a common root, written and read, while others are destroyed. */
static _Atomic uint64_t newest[THREADS];

static void *make_and_ask(void *number) {
    intptr_t me = (intptr_t)number;
    uint32_t class = lge_class_named("fresh");
    engine_take(workers[me], locks[me]);
    for (int round = 0; round < 20 * ROUNDS; round++) {
        uint64_t id = lge_lock_id_new(workers[me], class);
        struct lge_request request = {.id = id, .address = workers[me], .site = 3, .kind = LGR_LOCK_RWLOCK};
        atomic_store_explicit(&newest[me], id, memory_order_relaxed);
        lge_check(workers[me], &request);
    }
    return NULL;
}

static void *destroy_newest(void *unused) {
    (void)unused;
    while (!atomic_load(&stop))
        for (int i = 0; i < THREADS; i++)
            lge_lock_destroyed(atomic_load_explicit(&newest[i], memory_order_relaxed));
    return NULL;
}

/* A collection, or a mistake of the program, takes a lock away at any moment. */
START_TEST(a_lock_may_vanish_while_it_is_asked_for) {
    pthread_t threads[THREADS], destroyer;
    make_locks();
    atomic_store(&stop, false);
    ck_assert_int_eq(pthread_create(&destroyer, NULL, destroy_newest, NULL), 0);
    start_workers(threads, make_and_ask);
    join_workers(threads);
    atomic_store(&stop, true);
    pthread_join(destroyer, NULL);
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

static void *watch_figures(void *unused) {
    (void)unused;
    while (!atomic_load(&stop))
        (void)figures();
    return NULL;
}

START_TEST(figures_may_be_asked_for_at_any_time) {
    pthread_t threads[THREADS], watcher;
    make_locks();
    atomic_store(&stop, false);
    ck_assert_int_eq(pthread_create(&watcher, NULL, watch_figures, NULL), 0);
    start_workers(threads, take_ascending);
    join_workers(threads);
    atomic_store(&stop, true);
    pthread_join(watcher, NULL);
    ck_assert_uint_gt(figures().nested, 0);
}
END_TEST

/* ---- fork ---- */

static void *take_until_stopped(void *number) {
    while (!atomic_load(&stop))
        take_ascending(number);
    return NULL;
}

static void invert_in_the_child(struct lge_thread *self) {
    lge_fork_child(self, 4711);
    struct lge_thread *other = engine_thread(self);
    memset(&engine_seen, 0, sizeof engine_seen);
    invert(self, other, NULL, LGR_REASON_NONE);
    engine_leave(engine_seen.count == 1 && engine_seen.last.verdict == LGR_VERDICT_FEASIBLE ? 0 : 1);
}

/* Whatever the others did at that moment, the child can go on. */
START_TEST(a_busy_process_forks) {
    pthread_t threads[THREADS];
    struct lge_thread *self = engine_thread(NULL);
    make_locks();
    atomic_store(&stop, false);
    start_workers(threads, take_until_stopped);
    for (int i = 0; i < 30; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            invert_in_the_child(self);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
    }
    atomic_store(&stop, true);
    join_workers(threads);
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_events");
    TCase *tests = engine_case(suite, "events");
    tcase_add_test(tests, figures_count);
    tcase_add_test(tests, a_destroyed_lock_takes_its_edges_along);
    tcase_add_test(tests, a_kind_can_be_silenced_or_lowered);
    tcase_add_test(tests, a_search_without_budget_is_taken_up_at_the_end);
    tcase_add_test(tests, a_search_that_never_ends_is_told);
    tcase_add_test(tests, notes_are_looked_for_a_limited_number_of_times);
    tcase_add_test(tests, a_search_put_off_may_have_lost_its_locks);
    TCase *orders = engine_case(suite, "orders");
    tcase_add_test(orders, what_a_sync_point_orders_is_a_note);
    tcase_add_test(orders, a_sync_point_orders_one_way);
    tcase_add_test(orders, what_is_handed_on_forgets_the_gone);
    tcase_add_test(orders, a_barrier_orders_all_with_all);
    tcase_add_test(orders, after_the_release_nothing_is_ordered);
    tcase_add_test(orders, an_order_is_passed_on);
    TCase *concurrent = engine_case(suite, "concurrent");
    tcase_add_test(concurrent, threads_in_one_order_find_nothing);
    tcase_add_test(concurrent, an_inversion_at_the_same_moment_is_seen);
    tcase_add_test(concurrent, a_lock_may_vanish_while_it_is_asked_for);
    tcase_add_test(concurrent, figures_may_be_asked_for_at_any_time);
    tcase_add_test(concurrent, a_busy_process_forks);
    return engine_run(suite);
}
