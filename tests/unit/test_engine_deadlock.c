#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/deadlock.h"
#include "engine/lifecycle.h"
#include "engine/wait.h"
#include "engine/wait_for.h"
#include "engine_support.h"

enum { MOST = 8 };

/* Threads, one lock each that it holds, and the locks' owner fields. */
static struct lge_thread *threads[MOST];
static uint64_t locks[MOST];
static int owners[MOST];

static void hold_one_each(int count) {
    for (int i = 0; i < count; i++) {
        char name[] = {'c', (char)('0' + i), 0};
        threads[i] = engine_thread(NULL);
        locks[i] = engine_lock(threads[i], name);
        engine_take(threads[i], locks[i]);
        owners[i] = (int)lge_thread_tid(threads[i]);
    }
}

/* Thread i asks for the lock of thread j. */
static bool wait_for(int i, int j) {
    struct lge_request request = engine_request(locks[j]);
    return lge_wait_begin(threads[i], &request, &owners[j]);
}
/* The same where the lock does not say who holds it. */
static bool wait_without_owner(int i, int j, uint8_t mode) {
    struct lge_request request = engine_request(locks[j]);
    request.kind = LGR_LOCK_RWLOCK;
    request.mode = mode;
    return lge_wait_begin(threads[i], &request, NULL);
}

static void check_deadlock(size_t edges, enum lgr_kind kind) {
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, kind);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ACTUAL);
    ck_assert_int_eq(engine_seen.last.severity, LGR_ERROR);
    ck_assert_uint_eq(engine_seen.last.edge_count, edges);
    for (size_t i = 0; i < edges; i++) { /* what one waits for the next one holds */
        const struct lge_finding_edge *edge = &engine_seen.edges[i],
                                      *next = &engine_seen.edges[(i + 1) % edges];
        if (edge->wait_kind == LGR_WAIT_LOCK)
            ck_assert_uint_eq(edge->to, next->from);
        else
            ck_assert_uint_eq(edge->to, next->thread);
        ck_assert_uint_ne(edge->request_context, 0);
    }
}

START_TEST(two_that_wait_for_each_other) {
    hold_one_each(2);
    ck_assert(!wait_for(0, 1));
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert_uint_eq(lge_deadlock_owner(threads[0]), lge_thread_serial(threads[1]));
    ck_assert(wait_for(1, 0));
    check_deadlock(2, LGR_KIND_DEADLOCK);
    ck_assert_uint_eq(engine_seen.edges[0].held_count, 1);
    ck_assert_uint_ne(engine_seen.edges[0].held_context, 0);
    ck_assert(lge_wait_again(threads[0])); /* it learns it, too; once is told */
    ck_assert(lge_wait_again(threads[1]));
    ck_assert_uint_eq(engine_seen.count, 1);
}
END_TEST

START_TEST(three_and_a_bystander) {
    hold_one_each(4);
    ck_assert(!wait_for(3, 0)); /* waits for one on the ring, is not on it */
    ck_assert(!wait_for(0, 1));
    ck_assert(!wait_for(1, 2));
    ck_assert(wait_for(2, 0));
    check_deadlock(3, LGR_KIND_DEADLOCK);
    ck_assert(!lge_wait_again(threads[3]));
    for (int i = 0; i < 3; i++)
        ck_assert_uint_ne(engine_seen.edges[i].thread, lge_thread_serial(threads[3]));
}
END_TEST

START_TEST(many_in_a_ring) {
    enum { MANY = 100 };
    struct lge_thread *all[MANY];
    uint64_t held[MANY];
    int tids[MANY];
    for (int i = 0; i < MANY; i++) {
        all[i] = engine_thread(NULL);
        held[i] = engine_lock(all[i], "ring");
        engine_take(all[i], held[i]);
        tids[i] = (int)lge_thread_tid(all[i]);
    }
    for (int i = 0; i < MANY; i++) {
        struct lge_request request = engine_request(held[(i + 1) % MANY]);
        ck_assert(lge_wait_begin(all[i], &request, &tids[(i + 1) % MANY]) == (i == MANY - 1));
    }
    ck_assert_uint_eq(engine_seen.last.edge_count, MANY);
}
END_TEST

START_TEST(one_that_waits_for_itself) {
    hold_one_each(1);
    ck_assert(wait_for(0, 0));
    check_deadlock(1, LGR_KIND_SELF_DEADLOCK);
    ck_assert_uint_eq(engine_seen.edges[0].from, engine_seen.edges[0].to);
    ck_assert(!engine_seen.last.timed);
}
END_TEST

START_TEST(a_join_under_the_lock_the_other_needs) {
    hold_one_each(2);
    ck_assert(!wait_for(1, 0));
    ck_assert(lge_wait_join(threads[0], threads[1], 0x99, 0, engine_request(locks[0]).context, false));
    check_deadlock(2, LGR_KIND_DEADLOCK);
    const struct lge_finding_edge *join = &engine_seen.edges[0];
    if (join->wait_kind != LGR_WAIT_JOIN)
        join++;
    ck_assert_int_eq(join->wait_kind, LGR_WAIT_JOIN);
    ck_assert_uint_eq(join->to, lge_thread_serial(threads[1]));
    ck_assert_uint_eq(join->from, locks[0]);
    ck_assert_uint_eq(join->to_class, 0);
}
END_TEST

START_TEST(two_that_join_each_other) {
    hold_one_each(2);
    ck_assert(!lge_wait_join(threads[0], threads[1], 0x99, 0, 0, false));
    ck_assert(lge_wait_join(threads[1], threads[0], 0x98, 0, 0, false));
    check_deadlock(2, LGR_KIND_DEADLOCK);
    ck_assert_uint_eq(engine_seen.edges[0].from, 0);
    lge_wait_end(threads[1]);
    lge_wait_end(threads[0]);
    ck_assert(!lge_wait_join(threads[1], threads[0], 0x98, 0, 0, false));
}
END_TEST

START_TEST(a_time_limit_is_told) {
    hold_one_each(2);
    struct lge_request request = engine_request(locks[1]);
    request.flags = LGE_TIMED;
    ck_assert(!lge_wait_begin(threads[0], &request, &owners[1]));
    ck_assert(wait_for(1, 0));
    check_deadlock(2, LGR_KIND_DEADLOCK);
    ck_assert(engine_seen.last.timed);
}
END_TEST

/* ---- no deadlock ---- */

START_TEST(an_owner_that_runs_is_no_deadlock) {
    hold_one_each(2);
    ck_assert(!wait_for(0, 1));
    lge_wait_end(threads[0]); /* it got away */
    ck_assert(!wait_for(1, 0));
    ck_assert(!lge_wait_again(threads[1]));
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

START_TEST(a_stale_owner_is_no_deadlock) {
    hold_one_each(3);
    ck_assert(!wait_for(0, 1));
    owners[0] = 4711; /* a thread that is none of ours */
    ck_assert(!wait_for(1, 0));
    ck_assert_uint_eq(lge_deadlock_owner(threads[1]), 0);
    owners[0] = 0; /* given up meanwhile */
    ck_assert(!lge_wait_again(threads[1]));
    owners[0] = owners[2]; /* taken by one that runs */
    ck_assert(!lge_wait_again(threads[1]));
    ck_assert_uint_eq(lge_deadlock_owner(threads[1]), lge_thread_serial(threads[2]));
    owners[0] = (int)lge_thread_tid(threads[0]); /* and now it is one */
    ck_assert(lge_wait_again(threads[1]));
    check_deadlock(2, LGR_KIND_DEADLOCK);
}
END_TEST

START_TEST(a_wait_that_ended_may_be_reported_again) {
    hold_one_each(2);
    for (int i = 0; i < 3; i++) {
        ck_assert(!wait_for(0, 1));
        ck_assert(wait_for(1, 0));
        lge_wait_end(threads[0]);
        lge_wait_end(threads[1]);
    }
    ck_assert_uint_eq(engine_seen.count, 1); /* one problem */
}
END_TEST

/* The others' stacks are waited for, but not for ever. */
START_TEST(stacks_that_never_come_are_done_without) {
    hold_one_each(2);
    struct lge_request request = engine_request(locks[1]);
    request.context = 0;
    ck_assert(!lge_wait_begin(threads[0], &request, &owners[1]));
    ck_assert(wait_for(1, 0));
    ck_assert_uint_eq(engine_seen.count, 1);
}
END_TEST

/* ---- locks that do not say who holds them ---- */

START_TEST(a_reader_and_a_writer) {
    hold_one_each(2);
    ck_assert(!wait_without_owner(0, 1, LGR_SHARED));
    ck_assert(wait_without_owner(1, 0, LGR_EXCLUSIVE));
    check_deadlock(2, LGR_KIND_DEADLOCK);
}
END_TEST

static void share(int i, int j) {
    struct lge_request request = engine_request(locks[j]);
    request.kind = LGR_LOCK_RWLOCK;
    request.mode = LGR_SHARED;
    lge_acquired(threads[i], &request);
}

START_TEST(readers_do_not_wait_for_readers) {
    hold_one_each(2);
    locks[3] = engine_lock(threads[0], "shared");
    share(0, 3);
    ck_assert(!wait_for(0, 1));
    ck_assert(!wait_without_owner(1, 3, LGR_SHARED)); /* thread 0 only reads it */
    lge_wait_end(threads[1]);
    ck_assert(wait_without_owner(1, 3, LGR_EXCLUSIVE));
    check_deadlock(2, LGR_KIND_DEADLOCK);
}
END_TEST

/* ---- writers preferred ---- */

/* Thread i wants the lock of thread j, or one of its own, behind waiting writers. */
static bool wait_in_queue(int i, int j, uint8_t mode) {
    struct lge_request request = engine_request(locks[j]);
    request.kind = LGR_LOCK_RWLOCK;
    request.mode = mode;
    request.flags = LGE_WRITER_PREFERRED;
    return lge_wait_begin(threads[i], &request, NULL);
}

static void check_queue(int writer) {
    ck_assert_int_eq(engine_seen.last.reason_kind, LGR_REASON_QUEUE);
    ck_assert_uint_eq(engine_seen.last.reason_id, lge_thread_serial(threads[writer]));
}

/* Its own reading is in the way of the writer that it queues behind. */
START_TEST(a_reader_waits_for_itself) {
    hold_one_each(2);
    locks[2] = engine_lock(threads[0], "shared");
    share(0, 2);
    ck_assert(!wait_in_queue(1, 2, LGR_EXCLUSIVE));
    ck_assert(wait_in_queue(0, 2, LGR_SHARED));
    check_deadlock(1, LGR_KIND_SELF_DEADLOCK);
    check_queue(1);
}
END_TEST

START_TEST(without_a_writer_nobody_queues) {
    hold_one_each(1);
    locks[2] = engine_lock(threads[0], "shared");
    share(0, 2);
    ck_assert(!wait_in_queue(0, 2, LGR_SHARED));
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

/* Thread 0 reads what thread 1 wants to read, thread 2 wants to write, and waits
 * for thread 1. */
static bool queue_in_ring(void) {
    hold_one_each(3);
    locks[3] = engine_lock(threads[0], "shared");
    share(0, 3);
    ck_assert(!wait_in_queue(2, 3, LGR_EXCLUSIVE));
    ck_assert(!wait_in_queue(1, 3, LGR_SHARED));
    return wait_for(0, 1);
}

START_TEST(a_queue_is_left_out_of_the_ring) {
    ck_assert(queue_in_ring());
    check_deadlock(2, LGR_KIND_DEADLOCK);
    check_queue(2);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_ne(engine_seen.edges[i].thread, lge_thread_serial(threads[2]));
}
END_TEST

static uint32_t readers_that_wait;

static bool refuse(const void *address, uint32_t shared) {
    (void)address;
    readers_that_wait = shared;
    return false;
}

/* The reader was granted the lock and has not run yet. */
START_TEST(a_granted_reader_does_not_queue) {
    engine_config.shut_out = refuse;
    engine_again();
    ck_assert(!queue_in_ring());
    ck_assert_uint_eq(engine_seen.count, 0);
    ck_assert_uint_eq(readers_that_wait, 1);
    engine_config.shut_out = NULL;
}
END_TEST

/* ---- upgrades ---- */

static void read_by_two(void) {
    hold_one_each(2);
    locks[2] = engine_lock(threads[0], "shared");
    share(0, 2);
    share(1, 2);
}

static bool upgrade(int i, uint8_t flags) {
    struct lge_request request = engine_request(locks[2]);
    request.kind = LGR_LOCK_RWLOCK;
    request.mode = LGR_EXCLUSIVE;
    request.flags = flags;
    return lge_wait_begin(threads[i], &request, NULL);
}

START_TEST(two_that_upgrade_at_once) {
    read_by_two();
    ck_assert(!upgrade(0, LGE_OTHERS_HOLD)); /* the other one may come */
    ck_assert(upgrade(1, LGE_OTHERS_HOLD));
    check_deadlock(2, LGR_KIND_DEADLOCK);
}
END_TEST

START_TEST(nobody_else_upgrades) {
    read_by_two();
    ck_assert(!upgrade(0, LGE_OTHERS_HOLD));
    ck_assert(!lge_wait_again(threads[0])); /* it may still come */
    usleep(25000);
    ck_assert(lge_wait_again(threads[0]));
    check_deadlock(1, LGR_KIND_SELF_DEADLOCK);
}
END_TEST

START_TEST(another_one_upgrades_later) {
    read_by_two();
    ck_assert(upgrade(0, 0));
    check_deadlock(1, LGR_KIND_SELF_DEADLOCK);
    uint32_t problem = engine_seen.last.problem;
    ck_assert(upgrade(1, 0));
    ck_assert_uint_eq(engine_seen.count, 2);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_DEADLOCK);
    ck_assert_uint_eq(engine_seen.last.edge_count, 2);
    ck_assert_uint_eq(engine_seen.last.problem, problem);
    ck_assert(lge_wait_again(threads[0]));
    ck_assert_uint_eq(engine_seen.count, 2);
}
END_TEST

/* ---- several holders ---- */

START_TEST(a_second_holder_closes_the_ring) {
    hold_one_each(4);
    locks[4] = engine_lock(threads[0], "shared");
    for (int i = 0; i < 3; i++)
        share(i, 4);
    owners[3] = 4711; /* threads 0 and 2 wait for a stranger, thread 1 for thread 3 */
    struct lge_request stranger = engine_request(engine_lock(threads[0], "stranger"));
    ck_assert(!lge_wait_begin(threads[0], &stranger, &owners[3]));
    ck_assert(!lge_wait_begin(threads[2], &stranger, &owners[3]));
    int writer = (int)lge_thread_tid(threads[3]);
    struct lge_request request = engine_request(locks[3]);
    ck_assert(!lge_wait_begin(threads[1], &request, &writer));
    ck_assert(wait_without_owner(3, 4, LGR_EXCLUSIVE));
    check_deadlock(2, LGR_KIND_DEADLOCK);
}
END_TEST

START_TEST(a_reader_that_wants_to_write) {
    hold_one_each(1);
    locks[1] = engine_lock(threads[0], "shared");
    share(0, 1);
    ck_assert(wait_without_owner(0, 1, LGR_EXCLUSIVE));
    check_deadlock(1, LGR_KIND_SELF_DEADLOCK);
}
END_TEST

/* ---- with threads ---- */

static void start_threads(int count, void *(*routine)(void *)) {
    pthread_t running[MOST];
    for (intptr_t i = 0; i < count; i++)
        ck_assert_int_eq(pthread_create(&running[i], NULL, routine, (void *)i), 0);
    for (int i = 0; i < count; i++)
        pthread_join(running[i], NULL);
}

static pthread_barrier_t together;
static int told[MOST];

static void *close_at_once(void *number) {
    int me = (int)(intptr_t)number;
    pthread_barrier_wait(&together);
    told[me] = wait_for(me, (me + 1) % 3);
    pthread_barrier_wait(&together);
    if (!told[me])
        told[me] = 2 * lge_wait_again(threads[me]);
    pthread_barrier_wait(&together);
    lge_wait_end(threads[me]);
    return NULL;
}

START_TEST(of_several_closers_one_reports) {
    enum { ROUNDS = 100 };
    pthread_barrier_init(&together, NULL, 3);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 3; i++) {
            char name[] = {'r', (char)('0' + i), (char)(1 + round), 0};
            threads[i] = engine_thread(NULL);
            locks[i] = engine_lock(threads[i], name);
            engine_take(threads[i], locks[i]);
            owners[i] = (int)lge_thread_tid(threads[i]);
        }
        start_threads(3, close_at_once);
        ck_assert_uint_eq(engine_seen.count, round + 1);
        ck_assert(told[0] == 1 || told[1] == 1 || told[2] == 1);
        for (int i = 0; i < 3; i++)
            ck_assert_int_ne(told[i], 0);
    }
    pthread_barrier_destroy(&together);
}
END_TEST

static int ended[MOST];

/* Waits as the front end does: begins, looks again until it is told, as if
 * after a time limit gives up. */
static void *wait_with_stack(void *number) {
    int me = (int)(intptr_t)number;
    struct lge_request request = engine_request(locks[1 - me]);
    request.context = 0;
    bool dead = lge_wait_begin(threads[me], &request, &owners[1 - me]);
    for (int slice = 0; !dead && slice < 5000; slice++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        dead = lge_wait_again(threads[me]);
    }
    pthread_barrier_wait(&together);
    ended[me] = dead;
    lge_wait_end(threads[me]);
    return NULL;
}

START_TEST(waiting_threads_record_their_own_stacks) {
    hold_one_each(2);
    pthread_barrier_init(&together, NULL, 2);
    start_threads(2, wait_with_stack);
    check_deadlock(2, LGR_KIND_DEADLOCK);
    ck_assert(ended[0] && ended[1]);
    struct lge_figures figures;
    lge_figures(&figures);
    ck_assert_uint_eq(figures.contended, 2);
    pthread_barrier_destroy(&together);
}
END_TEST

static _Atomic int real_owner[2];

/* Waits that come and go, never in a ring: 0 waits for 1, 1 for nobody. */
static void *wait_in_turns(void *number) {
    int me = (int)(intptr_t)number;
    for (int round = 0; round < 3000; round++) {
        struct lge_request request = engine_request(locks[1 - me]);
        atomic_store(&real_owner[me], 0);
        if (lge_wait_begin(threads[me], &request, (const int *)&real_owner[1 - me]))
            told[me] = 1;
        lge_wait_end(threads[me]);
        atomic_store(&real_owner[me], owners[me]); /* owned only while it runs */
    }
    return NULL;
}

START_TEST(waits_that_come_and_go_are_no_deadlock) {
    hold_one_each(2);
    told[0] = told[1] = 0;
    start_threads(2, wait_in_turns);
    ck_assert(!told[0] && !told[1]);
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

START_TEST(after_fork_nobody_waits) {
    hold_one_each(2);
    ck_assert(!wait_for(0, 1));
    lge_waits_after_fork(threads[0]);
    lge_waits_after_fork(threads[1]);
    ck_assert_uint_eq(atomic_load(&threads[0]->wait.sequence) & 1, 0);
    ck_assert(!wait_for(1, 0));
}
END_TEST

/* A holder that waits, goes on, gives all back and waits for something else: what
 * was read of its first wait is not true of the second. */
START_TEST(a_holder_that_went_on_is_waited_for_no_more) {
    hold_one_each(3);
    ck_assert(!wait_without_owner(1, 2, LGR_EXCLUSIVE));
    ck_assert(!wait_without_owner(0, 1, LGR_EXCLUSIVE));
    ck_assert_ptr_eq(lge_waits_for(threads[0], 0), threads[1]);
    ck_assert(lge_waits_for_still(threads[0], threads[1]));
    lge_wait_end(threads[1]);
    engine_give(threads[1], locks[1]);
    ck_assert(!wait_for(1, 0));
    ck_assert(!lge_waits_for_still(threads[0], threads[1]));
    ck_assert(lge_waits_for_still(threads[1], threads[0]));
    owners[0] = (int)lge_thread_tid(threads[2]);
    ck_assert(!lge_waits_for_still(threads[1], threads[0]));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_deadlock");
    TCase *rings = engine_case(suite, "rings");
    tcase_add_test(rings, two_that_wait_for_each_other);
    tcase_add_test(rings, three_and_a_bystander);
    tcase_add_test(rings, many_in_a_ring);
    tcase_add_test(rings, one_that_waits_for_itself);
    tcase_add_test(rings, a_join_under_the_lock_the_other_needs);
    tcase_add_test(rings, two_that_join_each_other);
    tcase_add_test(rings, a_time_limit_is_told);
    TCase *none = engine_case(suite, "none");
    tcase_add_test(none, an_owner_that_runs_is_no_deadlock);
    tcase_add_test(none, a_stale_owner_is_no_deadlock);
    tcase_add_test(none, a_wait_that_ended_may_be_reported_again);
    tcase_add_test(none, stacks_that_never_come_are_done_without);
    tcase_add_test(none, after_fork_nobody_waits);
    TCase *shared = engine_case(suite, "shared");
    tcase_add_test(shared, a_reader_and_a_writer);
    tcase_add_test(shared, readers_do_not_wait_for_readers);
    tcase_add_test(shared, a_second_holder_closes_the_ring);
    tcase_add_test(shared, a_holder_that_went_on_is_waited_for_no_more);
    tcase_add_test(shared, a_reader_that_wants_to_write);
    TCase *queue = engine_case(suite, "queue");
    tcase_add_test(queue, a_reader_waits_for_itself);
    tcase_add_test(queue, without_a_writer_nobody_queues);
    tcase_add_test(queue, a_queue_is_left_out_of_the_ring);
    tcase_add_test(queue, a_granted_reader_does_not_queue);
    TCase *upgrades = engine_case(suite, "upgrades");
    tcase_add_test(upgrades, two_that_upgrade_at_once);
    tcase_add_test(upgrades, nobody_else_upgrades);
    tcase_add_test(upgrades, another_one_upgrades_later);
    TCase *concurrent = engine_case(suite, "concurrent");
    tcase_add_test(concurrent, of_several_closers_one_reports);
    tcase_add_test(concurrent, waiting_threads_record_their_own_stacks);
    tcase_add_test(concurrent, waits_that_come_and_go_are_no_deadlock);
    return engine_run(suite);
}
