#include <stdio.h>

#include "engine/deadlock.h"
#include "engine/file_hold.h"
#include "engine/lifecycle.h"
#include "engine/lock_class.h"
#include "engine/wait.h"
#include "engine_support.h"

static const struct lge_file_owner mine = {1, 3}, theirs = {2, 4}, process = {LGE_OWNED_BY_PROCESS, 3};

static struct lge_file_key file_key(uint64_t inode) {
    return (struct lge_file_key){.device = 7, .inode = inode, .birth = 1, .last = LGE_FILE_END};
}
static struct lge_file_key range_key(uint64_t inode, uint64_t first, uint64_t last) {
    return (struct lge_file_key){
        .device = 7, .inode = inode, .birth = 1, .first = first, .last = last, .ranges = true};
}

static struct lge_file_lock lock_of(struct lge_thread *thread, const struct lge_file_key *key) {
    struct lge_file_lock lock;
    char name[64];
    snprintf(name, sizeof name, "file %lu", (unsigned long)key->inode);
    if (!lge_file_lock_find(key, &lock))
        ck_assert(lge_file_lock_new(thread, key, name, 0x77, 0, &lock));
    return lock;
}

static struct lge_request request_of(struct lge_thread *thread, const struct lge_file_key *key) {
    struct lge_file_lock lock = lock_of(thread, key);
    struct lge_request request = engine_request(lock.id);
    request.address = lock.address;
    request.kind = LGR_LOCK_FILE;
    return request;
}

static uint64_t take(struct lge_thread *thread, const struct lge_file_key *key,
                     const struct lge_file_owner *owner) {
    struct lge_request request = request_of(thread, key);
    lge_check(thread, &request);
    lge_file_hold_begin(thread, &request, key, owner);
    return request.id;
}

/* ---- which lock ---- */

START_TEST(a_file_is_one_lock) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key key = file_key(5), other = key;
    struct lge_file_lock lock = lock_of(thread, &key), again, found;
    ck_assert(lge_file_lock_new(thread, &key, "another name", 0x77, 0, &again));
    ck_assert_uint_eq(again.id, lock.id);
    ck_assert_ptr_eq(again.address, lock.address);
    ck_assert(lge_file_lock_alive(lock.id));
    ck_assert(!lge_file_lock_alive(lock.id + 1));
    other.birth = 2; /* the inode number was used again */
    ck_assert(!lge_file_lock_find(&other, &found));
    other = key;
    other.device = 8;
    ck_assert(!lge_file_lock_find(&other, &found));
    other = key;
    other.ranges = true;
    ck_assert(!lge_file_lock_find(&other, &found));
    other = range_key(5, 0, 9);
    struct lge_file_lock part = lock_of(thread, &other);
    ck_assert_uint_ne(part.id, lock.id);
    other.last = 10;
    ck_assert(!lge_file_lock_find(&other, &found));
    const struct lge_class *class = lge_class_get(lge_lock_class(lock.id));
    ck_assert_int_eq(class->kind, LGR_CLASS_NAMED);
}
END_TEST

/* The files of sessions: neither records nor classes grow for ever. */
START_TEST(very_many_files) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key key = file_key(1), kept = file_key(1000000);
    uint64_t first = lock_of(thread, &key).id, often = lock_of(thread, &kept).id;
    for (uint64_t inode = 2; inode < 20000; inode++) {
        key = file_key(inode);
        lock_of(thread, &key);
        ck_assert_uint_eq(lock_of(thread, &kept).id, often);
    }
    ck_assert(!lge_file_lock_alive(first));
    ck_assert(lge_file_lock_alive(often));
    ck_assert_int_eq(lge_class_get(lge_lock_class(lock_of(thread, &key).id))->kind, LGR_CLASS_GUESS);
    key = file_key(1);
    ck_assert_uint_ne(lock_of(thread, &key).id, first);
}
END_TEST

/* ---- order ---- */

static void both_orders(const struct lge_file_owner *one, const struct lge_file_owner *other,
                        bool shared_before) {
    struct lge_thread *threads[] = {engine_thread(NULL), engine_thread(NULL)};
    struct lge_file_key key = file_key(5);
    uint64_t mutex = engine_lock(threads[0], "mutex");
    uint64_t file = take(threads[0], &key, one);
    engine_take(threads[0], mutex);
    engine_give(threads[0], mutex);
    lge_file_hold_end(threads[0], &key, one);
    if (shared_before)
        lge_file_lock_share(file);
    engine_take(threads[1], mutex);
    take(threads[1], &key, other);
}

START_TEST(threads_of_their_own_descriptions) {
    both_orders(&mine, &theirs, false);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
}
END_TEST

START_TEST(what_is_shared_closes_no_cycle) {
    both_orders(&mine, &mine, true);
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

static void nest_under(struct lge_thread *thread, const struct lge_file_key *key,
                       const struct lge_file_owner *owner, uint64_t outer, uint64_t inner) {
    take(thread, key, owner);
    engine_nest(thread, outer, inner);
    lge_file_hold_end(thread, key, owner);
}

START_TEST(a_file_is_a_gate_unless_it_is_shared) {
    for (int shared = 0; shared < 2; shared++) {
        engine_again();
        struct lge_thread *threads[] = {engine_thread(NULL), engine_thread(NULL)};
        struct lge_file_key key = file_key(5);
        uint64_t a = engine_lock(threads[0], "a"), b = engine_lock(threads[0], "b");
        if (shared)
            lge_file_lock_share(lock_of(threads[0], &key).id);
        nest_under(threads[0], &key, &mine, a, b);
        nest_under(threads[1], &key, &theirs, b, a);
        ck_assert_uint_eq(engine_seen.count, 1);
        ck_assert_int_eq(engine_seen.last.verdict, shared ? LGR_VERDICT_FEASIBLE : LGR_VERDICT_GATED);
    }
}
END_TEST

START_TEST(after_a_doubt_all_are_shared) {
    lge_file_locks_doubt();
    both_orders(&mine, &theirs, false);
    ck_assert_uint_eq(engine_seen.count, 0);
}
END_TEST

/* ---- holds ---- */

START_TEST(holds_end_by_range_and_owner) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key low = range_key(5, 0, 9), high = range_key(5, 10, 19), middle = range_key(5, 5, 6),
                        all = range_key(5, 0, LGE_FILE_END);
    take(thread, &low, &mine);
    take(thread, &high, &theirs);
    ck_assert_uint_eq(lge_held_count(thread), 2);
    ck_assert(lge_file_hold_overlaps(&middle, &mine));
    ck_assert(!lge_file_hold_overlaps(&middle, &theirs));
    ck_assert(!lge_file_hold_overlaps(&high, &mine));
    lge_file_hold_end(thread, &high, &mine);
    ck_assert_uint_eq(lge_held_count(thread), 2);
    lge_file_hold_end(thread, &middle, &mine); /* in part: not claimed any more */
    ck_assert_uint_eq(lge_held_count(thread), 1);
    lge_file_hold_end(thread, &all, &theirs);
    ck_assert_uint_eq(lge_held_count(thread), 0);
}
END_TEST

START_TEST(a_description_is_closed) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key one = file_key(5), other = range_key(6, 0, 9), third = file_key(7);
    take(thread, &one, &mine);
    take(thread, &other, &mine);
    take(thread, &third, &theirs);
    lge_file_hold_end_description(thread, mine.description);
    ck_assert_uint_eq(lge_held_count(thread), 1);
    ck_assert_uint_eq(lge_file_holds_of_process(), 0);
    lge_file_hold_end_description(thread, theirs.description);
}
END_TEST

START_TEST(record_locks_are_counted) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key key = range_key(5, 0, 9), other = range_key(6, 0, 9);
    take(thread, &key, &process);
    take(thread, &other, &process);
    ck_assert_uint_eq(lge_file_holds_of_process(), 2);
    lge_file_hold_end(thread, &key, &process);
    ck_assert_uint_eq(lge_file_holds_of_process(), 1);
    ck_assert_uint_eq(lge_held_count(thread), 1);
    lge_file_hold_end(thread, &other, &process);
    ck_assert_uint_eq(lge_file_holds_of_process(), 0);
}
END_TEST

START_TEST(another_thread_ends_it) {
    struct lge_thread *thread = engine_thread(NULL), *other = engine_thread(NULL);
    struct lge_file_key key = file_key(5);
    uint64_t id = take(thread, &key, &mine);
    ck_assert(lge_file_hold_stands(id, lge_thread_serial(thread)));
    ck_assert_uint_eq(lge_file_holder(id, lge_thread_serial(other)), lge_thread_serial(thread));
    ck_assert_uint_eq(lge_file_holder(id, lge_thread_serial(thread)), 0);
    lge_file_hold_end(other, &key, &mine);
    ck_assert(!lge_file_hold_stands(id, lge_thread_serial(thread)));
    ck_assert_uint_eq(lge_file_holder(id, lge_thread_serial(other)), 0);
    ck_assert_uint_eq(lge_held_count(thread), 1);
    engine_take(thread, engine_lock(thread, "mutex"));
    ck_assert_uint_eq(lge_held_count(thread), 1); /* just the mutex */
}
END_TEST

START_TEST(all_end_at_once) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key key = file_key(5), other = file_key(6);
    uint64_t id = take(thread, &key, &mine);
    lge_file_holds_end_all();
    ck_assert(!lge_file_hold_stands(id, lge_thread_serial(thread)));
    uint64_t later = take(thread, &other, &theirs);
    ck_assert(lge_file_hold_stands(later, lge_thread_serial(thread)));
    ck_assert_uint_eq(lge_held_count(thread), 1);
    lge_file_hold_end(thread, &other, &theirs);
}
END_TEST

static bool never(const struct lge_file_owner *owner, bool ranges) {
    (void)ranges;
    return owner->descriptor != mine.descriptor;
}

START_TEST(the_kernel_knows_better) {
    struct lge_thread *threads[] = {engine_thread(NULL), engine_thread(NULL)};
    struct lge_file_key key = file_key(5);
    uint64_t id = take(threads[0], &key, &mine);
    take(threads[1], &key, &theirs);
    lge_file_holds_ask(id, never);
    ck_assert(!lge_file_hold_stands(id, lge_thread_serial(threads[0])));
    ck_assert(lge_file_hold_stands(id, lge_thread_serial(threads[1])));
    lge_file_holds_drop_stale(threads[0]);
    ck_assert_uint_eq(lge_held_count(threads[0]), 0);
}
END_TEST

/* Not from a handler that came while the stack was in use. */
START_TEST(a_handler_leaves_the_stack_alone) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key key = file_key(5);
    take(thread, &key, &mine);
    thread->handlers.depth = 1;
    lge_file_hold_end(thread, &key, &mine);
    lge_file_holds_drop_stale(thread);
    ck_assert_uint_eq(lge_held_count(thread), 1);
    thread->handlers.depth = 0;
    lge_file_holds_drop_stale(thread);
    ck_assert_uint_eq(lge_held_count(thread), 0);
}
END_TEST

START_TEST(a_child_holds_nothing) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_file_key key = file_key(5), record = range_key(5, 0, 9);
    engine_take(thread, engine_lock(thread, "mutex"));
    take(thread, &key, &mine);
    take(thread, &record, &process);
    lge_file_holds_after_fork(thread);
    ck_assert_uint_eq(lge_held_count(thread), 1);
    ck_assert_uint_eq(lge_file_holds_of_process(), 0);
}
END_TEST

/* ---- waiting ---- */

/* Thread 0 has the file and waits for the mutex of thread 1, which asks for the
 * file. */
static bool crosswise(bool shared, bool ended) {
    static int owner;
    struct lge_thread *threads[] = {engine_thread(NULL), engine_thread(NULL)};
    struct lge_file_key key = file_key(5);
    uint64_t mutex = engine_lock(threads[0], "mutex"), file = take(threads[0], &key, &mine);
    if (shared)
        lge_file_lock_share(file);
    engine_take(threads[1], mutex);
    owner = (int)lge_thread_tid(threads[1]);
    struct lge_request for_mutex = engine_request(mutex), for_file = request_of(threads[1], &key);
    lge_wait_begin(threads[0], &for_mutex, &owner);
    lge_wait_again(threads[0]);
    if (ended)
        lge_file_hold_end(threads[1], &key, &mine);
    engine_seen.count = 0;
    bool deadlock = lge_wait_in_kernel(threads[1], &for_file);
    ck_assert_uint_eq(lge_deadlock_owner(threads[1]), shared || ended ? 0 : lge_thread_serial(threads[0]));
    lge_wait_end(threads[1]);
    lge_wait_end(threads[0]);
    return deadlock;
}

START_TEST(a_holder_that_waits_for_us) {
    ck_assert(crosswise(false, false));
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ACTUAL);
    engine_again();
    ck_assert(!crosswise(true, false));
    engine_again();
    ck_assert(!crosswise(false, true));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_file_lock");
    TCase *identity = engine_case(suite, "identity");
    tcase_add_test(identity, a_file_is_one_lock);
    tcase_add_test(identity, very_many_files);
    TCase *order = engine_case(suite, "order");
    tcase_add_test(order, threads_of_their_own_descriptions);
    tcase_add_test(order, what_is_shared_closes_no_cycle);
    tcase_add_test(order, a_file_is_a_gate_unless_it_is_shared);
    tcase_add_test(order, after_a_doubt_all_are_shared);
    TCase *holds = engine_case(suite, "holds");
    tcase_add_test(holds, holds_end_by_range_and_owner);
    tcase_add_test(holds, a_description_is_closed);
    tcase_add_test(holds, record_locks_are_counted);
    tcase_add_test(holds, another_thread_ends_it);
    tcase_add_test(holds, all_end_at_once);
    tcase_add_test(holds, the_kernel_knows_better);
    tcase_add_test(holds, a_handler_leaves_the_stack_alone);
    tcase_add_test(holds, a_child_holds_nothing);
    TCase *waiting = engine_case(suite, "waiting");
    tcase_add_test(waiting, a_holder_that_waits_for_us);
    return engine_run(suite);
}
