#include <string.h>

#include "engine/graph.h"
#include "engine/lock_class.h"
#include "engine_support.h"
#include "rounds.h"

enum { LOCKS = 16 };

static bool present[LOCKS], edges[LOCKS][LOCKS];

static struct lge_lock *lock_of(size_t i) { return lge_lock_find(i + 1); }

static struct lge_lock *obtain(size_t i) {
    struct lge_request request = {.id = i + 1, .address = &present[i], .kind = LGR_LOCK_MUTEX};
    struct lge_lock *lock = lge_lock_obtain(&request);
    present[i] = true;
    ck_assert_ptr_eq(lock, lge_lock_obtain(&request));
    return lock;
}

static size_t out_length(struct lge_edge *first, const struct lge_node *from, bool placed) {
    size_t length = 0;
    const struct lge_edge *previous = NULL;
    for (struct lge_edge *e = first; e != NULL; previous = e, e = e->next_out, length++) {
        ck_assert_ptr_eq(e->from, from);
        ck_assert_ptr_eq(e->previous_out, previous);
        ck_assert(e->to->placed == placed);
    }
    return length;
}

static size_t in_length(const struct lge_node *to) {
    size_t length = 0;
    const struct lge_edge *previous = NULL;
    for (struct lge_edge *e = to->in; e != NULL; previous = e, e = e->next_in, length++) {
        ck_assert_ptr_eq(e->to, to);
        ck_assert_ptr_eq(e->previous_in, previous);
        ck_assert(edges[lge_node_number(e->from) - 1][lge_node_number(to) - 1]);
    }
    return length;
}

static void check_lists(void) {
    size_t locks = 0, all = 0;
    for (size_t i = 0; i < LOCKS; i++) {
        struct lge_lock *lock = lock_of(i);
        ck_assert((lock != NULL) == present[i]);
        if (lock == NULL)
            continue;
        locks++;
        size_t out = 0, leaf_out = 0, in = 0;
        for (size_t j = 0; j < LOCKS; j++) {
            in += edges[j][i];
            if (!edges[i][j])
                continue;
            ck_assert_ptr_nonnull(lge_edge_find(&lock->node, &lock_of(j)->node));
            *(lock_of(j)->node.placed ? &out : &leaf_out) += 1;
        }
        ck_assert_uint_eq(out_length(lock->node.out, &lock->node, true), out);
        ck_assert_uint_eq(out_length(lock->node.leaf_out, &lock->node, false), leaf_out);
        ck_assert_uint_eq(in_length(&lock->node), in);
        all += in;
    }
    ck_assert_uint_eq(lge_locks_count(), locks);
    ck_assert_uint_eq(lge_edges_count(false), all);
    ck_assert_uint_eq(lge_edges_count(true), 0);
}

/* As check.c does it. */
static void add_edge(size_t from, size_t to) {
    if (from == to || edges[from][to])
        return;
    struct lge_lock *one = obtain(from), *other = obtain(to);
    lge_node_promote(&one->node);
    ck_assert_ptr_null(lge_edge_find(&one->node, &other->node));
    struct lge_edge *edge = lge_edge_add(&one->node, &other->node);
    ck_assert_ptr_eq(lge_edge_find(&one->node, &other->node), edge);
    if (other->node.placed)
        lge_order_insert(&one->node, &other->node);
    edges[from][to] = true;
}

static void destroy(size_t i) {
    lge_lock_destroyed(i + 1);
    present[i] = false;
    for (size_t j = 0; j < LOCKS; j++)
        edges[i][j] = edges[j][i] = false;
}

START_TEST(lists_agree_with_a_matrix) {
    for (int step = 0; step < rounds(6000); step++) {
        size_t i = engine_random(LOCKS), j = engine_random(LOCKS);
        if (engine_random(12) == 0)
            destroy(i);
        else if (engine_random(12) == 0 && i != j && edges[i][j]) {
            lge_edge_remove(lge_edge_find(&lock_of(i)->node, &lock_of(j)->node));
            edges[i][j] = false;
        } else
            add_edge(i, j);
        check_lists();
    }
}
END_TEST

START_TEST(a_leaf_is_promoted_once) {
    add_edge(0, 1);
    add_edge(2, 1);
    add_edge(0, 3);
    ck_assert(!lock_of(1)->node.placed);
    ck_assert_ptr_nonnull(lock_of(0)->node.leaf_out);
    ck_assert_ptr_null(lock_of(0)->node.out);
    ck_assert_ptr_null(lock_of(1)->node.root);
    lge_node_promote(&lock_of(1)->node);
    check_lists();
    int64_t order = lock_of(1)->node.order;
    ck_assert_int_gt(order, lock_of(0)->node.order);
    ck_assert_int_gt(order, lock_of(2)->node.order);
    lge_node_promote(&lock_of(1)->node);
    ck_assert_int_eq(lock_of(1)->node.order, order);
    destroy(1);
    destroy(9); /* never seen */
    check_lists();
    ck_assert_uint_eq(lge_edges_count(false), 1);
    ck_assert_uint_eq(lge_edges_seen(false), 3);
    ck_assert_uint_eq(lge_edges_seen(true), 0);
}
END_TEST

static void count_lock(struct lge_lock *lock, void *user) {
    ck_assert_ptr_eq(lock, lge_lock_find(lock->id));
    ++*(int *)user;
}

START_TEST(every_lock_is_visited) {
    int visited = 0;
    for (size_t i = 0; i < LOCKS; i++)
        obtain(i);
    lge_locks_each(count_lock, &visited);
    ck_assert_int_eq(visited, LOCKS);
}
END_TEST

START_TEST(a_record_says_what_was_told_first) {
    struct lge_held held = {
        .id = 77, .address = &held, .kind = LGR_LOCK_RWLOCK, .attributes = LGR_LOCK_ROBUST};
    struct lge_lock *lock = lge_lock_obtain_held(&held);
    struct lge_request request = {.id = 77, .address = &request, .kind = LGR_LOCK_SPIN};
    ck_assert_ptr_eq(lge_lock_obtain(&request), lock);
    ck_assert_ptr_eq(lock->address, &held);
    ck_assert_uint_eq(lock->kind, LGR_LOCK_RWLOCK);
    ck_assert_uint_eq(lock->attributes, LGR_LOCK_ROBUST);
    ck_assert_uint_eq(lge_node_number(&lock->node), 77);
    ck_assert_uint_eq(lge_node_number(&lge_class_get(lge_class_named("n"))->node), lge_class_named("n"));
}
END_TEST

/* ---- evidence of an edge ---- */

/* The edge 1 -> 2 gets evidence of a thread that holds 1 and these. */
static bool attach(struct lge_edge *edge, struct lge_thread *thread, uint64_t also, uint8_t mode) {
    struct lge_request outer = engine_request(1), second = engine_request(also), wanted = engine_request(2);
    second.mode = mode;
    lge_acquired(thread, &outer);
    if (also != 0)
        lge_acquired(thread, &second);
    struct lge_dependency *dependency = lge_dependency_make(thread, &wanted, wanted.context);
    bool fresh = lge_edge_attach(edge, dependency);
    if (fresh)
        ck_assert_uint_ge(atomic_load(&dependency->references), 3);
    lge_dependency_drop(dependency);
    if (also != 0)
        ck_assert(lge_released(thread, second.address));
    ck_assert(lge_released(thread, outer.address));
    return fresh;
}

static struct lge_edge *edge_1_2(void) {
    add_edge(0, 1);
    return lge_edge_find(&lock_of(0)->node, &lock_of(1)->node);
}

static bool carries(const struct lge_edge *edge, const struct lge_thread *thread) {
    for (uint32_t i = 0; i < edge->count; i++)
        if (edge->dependencies[i]->thread == lge_thread_serial(thread))
            return true;
    return false;
}

START_TEST(the_same_evidence_is_kept_once) {
    struct lge_edge *edge = edge_1_2();
    struct lge_thread *thread = engine_thread(NULL);
    ck_assert(attach(edge, thread, 0, LGR_EXCLUSIVE));
    ck_assert(!attach(edge, thread, 0, LGR_EXCLUSIVE));
    lge_dependency_drop(thread->last_dependency); /* as if another one came between */
    thread->last_dependency = NULL;
    ck_assert(!attach(edge, thread, 0, LGR_EXCLUSIVE));
    ck_assert_uint_eq(edge->count, 1);
    thread->epoch++;
    ck_assert(attach(edge, thread, 0, LGR_EXCLUSIVE));
    ck_assert(attach(edge, thread, 3, LGR_EXCLUSIVE));
    ck_assert(attach(edge, thread, 3, LGR_SHARED));
    ck_assert_uint_eq(edge->count, 4);
}
END_TEST

START_TEST(equal_evidence_of_many_threads_is_bounded) {
    struct lge_edge *edge = edge_1_2();
    for (int i = 0; i < 20; i++) {
        struct lge_thread *thread = engine_thread(NULL);
        ck_assert(attach(edge, thread, 0, LGR_EXCLUSIVE));
        ck_assert(carries(edge, thread));
        ck_assert_int_eq((int)edge->count, i < 3 ? i + 1 : 3);
    }
    edge->cycle_length = 5;
    for (int i = 0; i < 20; i++)
        ck_assert(attach(edge, engine_thread(NULL), 0, LGR_EXCLUSIVE));
    ck_assert_uint_eq(edge->count, 5);
}
END_TEST

/* Its own last one goes first: the others' evidence stays. */
START_TEST(a_thread_replaces_its_own_evidence) {
    struct lge_edge *edge = edge_1_2();
    struct lge_thread *threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = engine_thread(NULL);
        ck_assert(attach(edge, threads[i], 0, LGR_EXCLUSIVE));
    }
    for (int i = 0; i < 10; i++) {
        threads[1]->epoch++;
        ck_assert(attach(edge, threads[1], 0, LGR_EXCLUSIVE));
    }
    ck_assert_uint_eq(edge->count, 3);
    for (int i = 0; i < 3; i++)
        ck_assert(carries(edge, threads[i]));
}
END_TEST

START_TEST(alike_evidence_is_bounded) {
    struct lge_edge *edge = edge_1_2();
    struct lge_thread *thread = engine_thread(NULL);
    for (uint64_t i = 0; i < 60; i++)
        ck_assert(attach(edge, thread, engine_lock(thread, "same"), LGR_EXCLUSIVE));
    ck_assert_uint_eq(edge->count, 16 + 3);
}
END_TEST

START_TEST(all_evidence_is_bounded) {
    struct lge_edge *edge = edge_1_2();
    struct lge_thread *thread = engine_thread(NULL);
    for (uint32_t i = 0; i < 200; i++) {
        char name[2] = {(char)(1 + i), 0};
        ck_assert(attach(edge, thread, engine_lock(thread, name), LGR_EXCLUSIVE));
    }
    ck_assert_uint_eq(edge->count, 64 + 3);
    struct lge_figures figures;
    lge_figures(&figures);
    ck_assert_uint_le(figures.dependencies, 64 + 3 + 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_graph");
    TCase *lists = engine_case(suite, "lists");
    tcase_add_test(lists, lists_agree_with_a_matrix);
    tcase_add_test(lists, a_leaf_is_promoted_once);
    tcase_add_test(lists, every_lock_is_visited);
    tcase_add_test(lists, a_record_says_what_was_told_first);
    TCase *evidence = engine_case(suite, "evidence");
    tcase_add_test(evidence, the_same_evidence_is_kept_once);
    tcase_add_test(evidence, equal_evidence_of_many_threads_is_bounded);
    tcase_add_test(evidence, a_thread_replaces_its_own_evidence);
    tcase_add_test(evidence, alike_evidence_is_bounded);
    tcase_add_test(evidence, all_evidence_is_bounded);
    return engine_run(suite);
}
