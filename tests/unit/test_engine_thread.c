#include <unistd.h>

#include "engine/dependency.h"
#include "engine/identity.h"
#include "engine/known.h"
#include "engine/lifecycle.h"
#include "engine/past.h"
#include "engine_support.h"
#include "platform/memory.h"
#include "platform/system.h"

START_TEST(a_block_is_used_again_after_a_join) {
    struct lge_thread *parent = engine_thread(NULL), *child = engine_thread(parent);
    uint64_t a = engine_lock(child, "a"), b = engine_lock(child, "b");
    uint32_t serial = lge_thread_serial(child);
    engine_take(child, a);
    engine_take(child, b);
    lge_thread_end(child);
    struct lge_thread *other = engine_thread(parent);
    ck_assert_ptr_ne(other, child);
    lge_thread_joined(parent, child, lge_thread_serial(child));
    struct lge_thread *again = engine_thread(parent);
    ck_assert_ptr_eq(again, child);
    ck_assert_uint_gt(lge_thread_serial(again), serial);
    ck_assert_uint_eq(lge_held_count(again), 0);
    ck_assert(!again->has_dependencies);
    ck_assert(!lge_known(again, 1, lge_chain_key(1, a, LGR_EXCLUSIVE, 1)));
    struct lge_figures figures;
    lge_figures(&figures);
    ck_assert_uint_eq(figures.threads, 4);
    ck_assert_uint_eq(figures.nested, 1); /* of the life that ended */
}
END_TEST

/* Nobody takes the handle of a detached thread out of the front end's table. */
START_TEST(only_the_life_that_ended_can_be_joined) {
    struct lge_thread *parent = engine_thread(NULL), *child = engine_thread(parent);
    uint32_t serial = lge_thread_serial(child);
    uint64_t a = engine_lock(parent, "a");
    lge_thread_end(child);
    lge_thread_joined(parent, child, serial);
    lge_thread_joined(parent, child, serial); /* its block is free */
    struct lge_thread *again = engine_thread(parent), *another = engine_thread(parent);
    ck_assert_ptr_eq(again, child);
    ck_assert_ptr_ne(another, child);
    engine_take(again, a);
    lge_thread_joined(parent, again, serial); /* its block is another's */
    ck_assert_uint_eq(lge_held_count(again), 1);
    ck_assert_ptr_eq(lge_thread_by_tid(lge_thread_tid(again)), again);
    lge_thread_detached(again);
    lge_thread_end(again);
    lge_thread_joined(parent, again, lge_thread_serial(again)); /* nobody joins it */
    ck_assert_ptr_eq(lge_threads_leaving(), again);
}
END_TEST

START_TEST(a_detached_block_waits_for_the_kernel) {
    engine_forgets();
    struct lge_thread *here = lge_thread_new(NULL, 0, 0);
    lge_thread_begin(here, (uint32_t)lgp_tid(), 0, 0);
    lge_thread_detached(here);
    lge_thread_end(here);
    ck_assert_ptr_ne(engine_thread(NULL), here); /* its kernel thread still runs */
    struct lge_thread *gone = engine_thread(NULL);
    lge_thread_end(gone);
    lge_thread_detached(gone); /* either order */
    ck_assert_int_eq(gone->life, LGE_THREAD_LEAVING);
    lge_threads_after_fork(here, (uint32_t)lgp_tid());
    ck_assert_ptr_null(lge_thread_by_tid(99));
}
END_TEST

START_TEST(detached_blocks_are_used_again) {
    struct lge_thread *blocks[3];
    for (int i = 0; i < 3; i++) {
        blocks[i] = engine_thread(NULL);
        lge_thread_detached(blocks[i]);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(blocks[i]->life, LGE_THREAD_RUNNING);
        lge_thread_end(blocks[i]);
    }
    for (int i = 0; i < 3; i++) /* the oldest first */
        ck_assert_ptr_eq(engine_thread(NULL), blocks[i]);
}
END_TEST

static unsigned count_leaving(void) {
    unsigned count = 0;
    for (struct lge_thread *t = lge_threads_leaving(); t != NULL; t = t->next_in_list)
        count++;
    return count;
}

/* Who looks through the list of those that leave does not meet all there ever were at once. */
START_TEST(many_that_left_are_not_kept) {
    enum { MANY = 1000, KEPT = 65 };
    static struct lge_thread *blocks[MANY];
    struct lge_thread *here = lge_thread_new(NULL, 0, 0);
    lge_thread_begin(here, (uint32_t)lgp_tid(), 0, 0);
    lge_thread_detached(here);
    lge_thread_end(here);
    for (int i = 0; i < MANY; i++) {
        blocks[i] = engine_thread(NULL);
        lge_thread_detached(blocks[i]);
    }
    for (int i = 0; i < MANY; i++)
        lge_thread_end(blocks[i]);
    ck_assert_uint_le(count_leaving(), KEPT);
    ck_assert_int_eq(here->life, LGE_THREAD_LEAVING); /* its kernel thread still runs */
}
END_TEST

START_TEST(a_thread_that_never_began_is_abandoned) {
    struct lge_thread *parent = engine_thread(NULL), *child = lge_thread_new(parent, 0x100, 3);
    ck_assert_uint_eq(child->parent, lge_thread_serial(parent));
    ck_assert_uint_eq(child->start_routine, 0x100);
    ck_assert_uint_eq(child->creation_context, 3);
    lge_thread_abandon(child);
    ck_assert_ptr_eq(lge_thread_new(NULL, 0, 0), child);
    ck_assert_uint_eq(child->parent, 0);
}
END_TEST

START_TEST(threads_are_found_by_kernel_id) {
    struct lge_thread *threads[4];
    for (uint32_t i = 0; i < 4; i++) {
        threads[i] = lge_thread_new(NULL, 0, 0);
        lge_thread_begin(threads[i], 50 + 1024 * i, 0, 0); /* one bucket */
    }
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_ptr_eq(lge_thread_by_tid(50 + 1024 * i), threads[i]);
    ck_assert_ptr_null(lge_thread_by_tid(0));
    ck_assert_ptr_null(lge_thread_by_tid(51));
    ck_assert_ptr_null(lge_thread_by_tid(50 + 1024 * 4));
    lge_thread_joined(threads[0], threads[2], lge_thread_serial(threads[2]));
    ck_assert_ptr_null(lge_thread_by_tid(50 + 2048));
    lge_thread_joined(threads[0], threads[3], lge_thread_serial(threads[3]));
    ck_assert_ptr_eq(lge_thread_by_tid(50), threads[0]);
    ck_assert_ptr_eq(lge_thread_by_tid(50 + 1024), threads[1]);
}
END_TEST

/* Threads that were not created through us, and ended without a word. */
START_TEST(blocks_of_lost_threads_are_used_again) {
    struct lge_thread *here = lge_thread_new(NULL, 0, 0);
    lge_thread_begin(here, (uint32_t)lgp_tid(), 0, 0);
    lge_thread_adopted(here);
    size_t listed = 0;
    for (int i = 0; i < 500; i++)
        lge_thread_adopted(engine_thread(NULL));
    for (struct lge_thread *t = lge_threads_first(); t != NULL; t = t->next_in_list)
        listed++;
    ck_assert_uint_le(listed, 80);
    ck_assert_ptr_eq(lge_thread_by_tid((uint32_t)lgp_tid()), here); /* this one lives */
}
END_TEST

START_TEST(a_thread_has_begun_or_not) {
    struct lge_thread *thread = lge_thread_new(NULL, 0, 0);
    uint32_t serial = lge_thread_serial(thread);
    ck_assert(!lge_thread_begun(thread, serial));
    lge_thread_begin(thread, 77, 0, 0);
    ck_assert(lge_thread_begun(thread, serial));
    lge_thread_joined(engine_thread(NULL), thread, lge_thread_serial(thread));
    ck_assert_ptr_eq(lge_thread_new(NULL, 0, 0), thread);
    ck_assert(lge_thread_begun(thread, serial)); /* that life is over */
    ck_assert(!lge_thread_begun(thread, lge_thread_serial(thread)));
}
END_TEST

/* ---- held stacks ---- */

START_TEST(a_held_stack_grows) {
    enum { DEEP = 3000 };
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t first = engine_lock(thread, "deep"), last = first;
    for (int i = 0; i < DEEP; i++) {
        struct lge_request request = engine_request(last);
        lge_acquired(thread, &request);
        last = engine_lock(thread, "deep");
    }
    ck_assert_uint_eq(lge_held_count(thread), DEEP);
    ck_assert(lge_holds(thread, (void *)(uintptr_t)first));
    ck_assert(!lge_holds(thread, (void *)(uintptr_t)last));
    ck_assert(!lge_released(thread, (void *)(uintptr_t)last));
    ck_assert_uint_eq(thread->nested, DEEP - 1);
    for (int i = 0; i < DEEP; i++)
        ck_assert(lge_released(thread, thread->base[1].address)); /* the outermost each time */
    ck_assert_uint_eq(lge_held_count(thread), 0);
    ck_assert(!lge_holds(thread, (void *)(uintptr_t)first));
}
END_TEST

static void check_same_keys(const struct lge_thread *one, const struct lge_thread *other) {
    ck_assert_uint_eq(lge_held_count(one), lge_held_count(other));
    for (size_t i = 1; i <= lge_held_count(one); i++)
        ck_assert_uint_eq(one->base[i].key, other->base[i].key);
}

START_TEST(a_release_out_of_order_leaves_the_keys_of_the_rest) {
    enum { ALL = 8 };
    struct lge_thread *one = engine_thread(NULL);
    uint64_t ids[ALL];
    for (int i = 0; i < ALL; i++)
        ids[i] = engine_lock(one, "lock");
    for (int round = 0; round < 200; round++) {
        struct lge_thread *other = engine_thread(NULL);
        bool given[ALL] = {0};
        for (int i = 0; i < ALL; i++) {
            struct lge_request request = engine_request(ids[i]);
            request.mode = (uint8_t)(i % 3 == 0);
            if (i % 2)
                request.context = 0;
            lge_acquired(one, &request);
        }
        for (int i = 0; i < 4; i++) {
            uint32_t victim = engine_random(ALL);
            ck_assert(lge_released(one, (void *)(uintptr_t)ids[victim]) == !given[victim]);
            given[victim] = true;
        }
        for (int i = 0; i < ALL; i++) {
            struct lge_request request = engine_request(ids[i]);
            request.mode = (uint8_t)(i % 3 == 0);
            if (i % 2)
                request.context = 0;
            if (!given[i])
                lge_acquired(other, &request);
        }
        check_same_keys(one, other);
        for (int i = 0; i < ALL; i++)
            lge_released(one, (void *)(uintptr_t)ids[i]);
        lge_thread_joined(one, other, lge_thread_serial(other));
    }
}
END_TEST

static void take_as(struct lge_thread *thread, uint64_t id, uint8_t kind, uint8_t attributes) {
    struct lge_request request = engine_request(id);
    request.kind = kind;
    request.attributes = attributes;
    lge_acquired(thread, &request);
}

START_TEST(a_child_has_what_is_its_own) {
    struct lge_thread *parent = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t outer = engine_lock(parent, "outer"), inner = engine_lock(parent, "inner"),
             theirs = engine_lock(parent, "theirs"), spin = engine_lock(parent, "spin"),
             shared = engine_lock(parent, "shared spin"), file = engine_lock(parent, "file");
    lge_identity_table_share(shared);
    take_as(parent, theirs, LGR_LOCK_RWLOCK, LGR_LOCK_PSHARED);
    take_as(parent, outer, LGR_LOCK_MUTEX, 0);
    take_as(parent, shared, LGR_LOCK_SPIN, 0); /* by its fast path */
    take_as(parent, spin, LGR_LOCK_SPIN, 0);
    take_as(parent, file, LGR_LOCK_FILE, LGR_LOCK_PSHARED); /* file_hold.h */
    take_as(parent, inner, LGR_LOCK_MUTEX, 0);
    take_as(parent, theirs, LGR_LOCK_RWLOCK, LGR_LOCK_PSHARED);
    lge_thread_drop_shared(parent);
    take_as(other, outer, LGR_LOCK_MUTEX, 0);
    take_as(other, spin, LGR_LOCK_SPIN, 0);
    take_as(other, file, LGR_LOCK_FILE, LGR_LOCK_PSHARED);
    take_as(other, inner, LGR_LOCK_MUTEX, 0);
    check_same_keys(parent, other);
    lge_thread_drop_shared(parent);
    ck_assert_uint_eq(lge_held_count(parent), 4);
}
END_TEST

/* In a handler that interrupted an acquisition: its caller goes on with that place. */
START_TEST(what_is_half_written_stays_where_it_is) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t below = engine_lock(thread, "below"), above = engine_lock(thread, "above");
    take_as(thread, below, LGR_LOCK_MUTEX, LGR_LOCK_PSHARED);
    lge_push(thread, 0, 0, NULL, 0, 0, 0, 0, 0, 0);
    take_as(thread, above, LGR_LOCK_MUTEX, LGR_LOCK_PSHARED);
    lge_thread_drop_shared(thread);
    ck_assert_uint_eq(lge_held_count(thread), 2);
    ck_assert_uint_eq(thread->base[1].id, below);
}
END_TEST

START_TEST(modes_and_places_make_other_keys) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_request request = engine_request(engine_lock(thread, "lock"));
    uint64_t keys[4];
    for (unsigned i = 0; i < 4; i++) {
        request.mode = i & 1;
        request.context = i & 2 ? 0 : request.context;
        lge_acquired(thread, &request);
        keys[i] = thread->top->key;
        ck_assert(lge_released(thread, request.address));
        for (unsigned j = 0; j < i; j++)
            ck_assert_uint_ne(keys[i], keys[j]);
    }
}
END_TEST

START_TEST(the_newest_hold_of_an_address_goes) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_request request = engine_request(engine_lock(thread, "recursive"));
    request.flags = LGE_RECURSIVE;
    lge_acquired(thread, &request);
    request.mode = LGR_SHARED;
    lge_acquired(thread, &request);
    struct lge_held held;
    ck_assert(lge_pop(thread, request.address, &held));
    ck_assert_uint_eq(held.mode, LGR_SHARED);
    ck_assert_uint_eq(thread->top->mode, LGR_EXCLUSIVE);
    ck_assert(lge_pop(thread, request.address, NULL));
    ck_assert(!lge_pop(thread, request.address, &held));
}
END_TEST

/* A mutex that only its holder can take again is held once. */
START_TEST(a_hold_that_another_thread_gave_up_goes) {
    struct lge_thread *thread = engine_thread(NULL);
    struct lge_request request = engine_request(engine_lock(thread, "handed over"));
    lge_acquired(thread, &request);
    lge_acquired(thread, &request);
    ck_assert_uint_eq(lge_held_count(thread), 1);
    ck_assert(lge_released(thread, request.address));
    ck_assert(!lge_holds(thread, request.address));
}
END_TEST

/* ---- pasts ---- */

START_TEST(a_child_knows_its_parents_past) {
    struct lge_thread *parent = engine_thread(NULL);
    struct lge_thread *early = engine_thread(parent);
    ck_assert_ptr_null(early->past); /* the parent did nothing that counts */
    engine_nest(parent, engine_lock(parent, "a"), engine_lock(parent, "b"));
    uint32_t time = parent->time;
    struct lge_thread *child = engine_thread(parent);
    const struct lge_past_entry *entry = lge_past_find(child->past, lge_thread_serial(parent));
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->time, time);
    ck_assert_uint_eq(entry->reason, LGR_REASON_CREATE);
    ck_assert_uint_eq(entry->reason_id, lge_thread_serial(child));
    ck_assert_uint_gt(parent->time, time); /* what it does now is not before the child */
}
END_TEST

START_TEST(a_join_brings_the_whole_past) {
    struct lge_thread *parent = engine_thread(NULL), *child = engine_thread(parent),
                      *idle = engine_thread(parent);
    engine_nest(child, engine_lock(child, "a"), engine_lock(child, "b"));
    uint32_t serial = lge_thread_serial(child), epoch = parent->epoch;
    lge_thread_joined(parent, idle, lge_thread_serial(idle)); /* nothing to learn */
    ck_assert_ptr_null(parent->past);
    ck_assert_uint_eq(parent->epoch, epoch);
    lge_thread_joined(parent, child, lge_thread_serial(child));
    const struct lge_past_entry *entry = lge_past_find(parent->past, serial);
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->reason, LGR_REASON_JOIN);
    ck_assert_uint_eq(entry->reason_id, serial);
    ck_assert_uint_gt(parent->epoch, epoch);
}
END_TEST

static bool chain_known(struct lge_thread *thread, uint64_t outer, uint64_t inner) {
    struct lge_request request = engine_request(inner);
    engine_take(thread, outer);
    bool known = lge_known_crowded(
        thread, thread->top->key,
        lge_chain_key(thread->top->key, inner, LGR_EXCLUSIVE, lge_place(request.site, request.context)));
    engine_give(thread, outer);
    return known;
}

START_TEST(creation_forgets_known_chains_a_limited_number_of_times) {
    struct lge_thread *parent = engine_thread(NULL);
    uint64_t a = engine_lock(parent, "a"), b = engine_lock(parent, "b");
    int forgotten = 0;
    for (int i = 0; i < 100; i++) {
        engine_nest(parent, a, b);
        ck_assert(chain_known(parent, a, b));
        lge_thread_abandon(lge_thread_new(parent, 0, 0));
        forgotten += !chain_known(parent, a, b);
    }
    ck_assert_int_eq(forgotten, 64);
}
END_TEST

START_TEST(after_fork_one_thread_is_left) {
    engine_forgets();
    struct lge_thread *self = engine_thread(NULL), *other = engine_thread(NULL),
                      *leaving = engine_thread(NULL);
    engine_nest(other, engine_lock(other, "a"), engine_lock(other, "b"));
    engine_nest(self, engine_lock(self, "a"), engine_lock(self, "b"));
    uint32_t tid = lge_thread_tid(other), old = lge_thread_tid(self);
    lge_thread_detached(leaving);
    lge_thread_end(leaving);
    lge_threads_after_fork(self, 4711);
    ck_assert_ptr_eq(lge_threads_first(), self);
    ck_assert_ptr_null(self->next_in_list);
    ck_assert_ptr_null(lge_thread_by_tid(tid));
    ck_assert_ptr_null(lge_thread_by_tid(old));
    ck_assert_ptr_eq(lge_thread_by_tid(4711), self);
    ck_assert_uint_eq(lge_threads_nested(), 0); /* the parent has them */
    ck_assert_uint_eq(lge_threads_unused_numbers(), 0);
}
END_TEST

/* The other had given its old past back, and not yet set the new one. */
START_TEST(after_fork_nothing_of_others_is_freed) {
    engine_forgets();
    struct lge_thread *self = engine_thread(NULL), *other = engine_thread(NULL);
    lge_past_drop(other->past);
    other->past = lge_past_with(NULL, lge_thread_serial(self), 1, LGR_REASON_NONE, 0);
    size_t size = sizeof *other->past + sizeof *other->past->entries;
    lge_past_drop(other->past);
    atomic_store(&other->wait.sequence, 7); /* it waits */
    atomic_store(&other->wait.endless, 1);
    lge_threads_after_fork(self, 4711);
    ck_assert(!lge_waiting(lge_wait_sequence(other)));
    ck_assert_uint_eq(other->wait.endless, 0);
    void *one = lgp_alloc(size), *two = lgp_alloc(size);
    ck_assert_uint_eq((uintptr_t)one % 16, 0);
    ck_assert_uint_eq((uintptr_t)two % 16, 0);
    ck_assert_ptr_ne(one, two);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_thread");
    TCase *blocks = engine_case(suite, "blocks");
    tcase_add_test(blocks, a_block_is_used_again_after_a_join);
    tcase_add_test(blocks, only_the_life_that_ended_can_be_joined);
    tcase_add_test(blocks, a_detached_block_waits_for_the_kernel);
    tcase_add_test(blocks, detached_blocks_are_used_again);
    tcase_add_test(blocks, many_that_left_are_not_kept);
    tcase_add_test(blocks, a_thread_that_never_began_is_abandoned);
    tcase_add_test(blocks, threads_are_found_by_kernel_id);
    tcase_add_test(blocks, blocks_of_lost_threads_are_used_again);
    tcase_add_test(blocks, a_thread_has_begun_or_not);
    tcase_add_test(blocks, after_fork_one_thread_is_left);
    tcase_add_test(blocks, after_fork_nothing_of_others_is_freed);
    TCase *held = engine_case(suite, "held");
    tcase_add_test(held, a_held_stack_grows);
    tcase_add_test(held, a_release_out_of_order_leaves_the_keys_of_the_rest);
    tcase_add_test(held, modes_and_places_make_other_keys);
    tcase_add_test(held, a_child_has_what_is_its_own);
    tcase_add_test(held, what_is_half_written_stays_where_it_is);
    tcase_add_test(held, the_newest_hold_of_an_address_goes);
    tcase_add_test(held, a_hold_that_another_thread_gave_up_goes);
    TCase *pasts = engine_case(suite, "pasts");
    tcase_add_test(pasts, a_child_knows_its_parents_past);
    tcase_add_test(pasts, a_join_brings_the_whole_past);
    tcase_add_test(pasts, creation_forgets_known_chains_a_limited_number_of_times);
    return engine_run(suite);
}
