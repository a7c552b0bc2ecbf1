#include <stdlib.h>
#include <string.h>

#include "engine/graph.h"
#include "engine_support.h"
#include "rounds.h"

enum { MOST = 64 };

static struct lge_lock *locks[2048];
/* The model: edges as rows of bits, and what they reach. */
static uint64_t edges[MOST], reached[MOST];

static struct lge_lock *place_lock(uint64_t id, bool first) {
    struct lge_request request = {.id = id, .address = &locks, .kind = LGR_LOCK_MUTEX};
    struct lge_lock *lock = lge_lock_obtain(&request);
    ck_assert_ptr_nonnull(lock);
    lge_order_place(&lock->node, first);
    return lock;
}

static void place_locks(size_t count) {
    for (size_t i = 0; i < count; i++)
        locks[i] = place_lock(i + 1, engine_random(2) != 0);
    memset(edges, 0, sizeof edges);
}

static void close_transitively(size_t count) {
    memcpy(reached, edges, sizeof reached);
    for (size_t via = 0; via < count; via++)
        for (size_t from = 0; from < count; from++)
            if (reached[from] >> via & 1)
                reached[from] |= reached[via];
}

static bool reaches(size_t from, size_t to) { return reached[from] >> to & 1; }
static bool together(size_t a, size_t b) { return a == b || (reaches(a, b) && reaches(b, a)); }
static struct lge_node *root_of(size_t i) { return locks[i]->node.root; }

/* Every edge between two components goes upwards. */
static void check_order(size_t count) {
    for (size_t from = 0; from < count; from++)
        for (size_t to = 0; to < count; to++)
            if ((edges[from] >> to & 1) && root_of(from) != root_of(to))
                ck_assert_int_lt(root_of(from)->order, root_of(to)->order);
}

/* Every ring of members is as long as its root says, and all agree on the root. */
static void check_rings(size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (locks[i] == NULL)
            continue;
        uint32_t length = 0;
        struct lge_node *node = &locks[i]->node;
        do {
            ck_assert_ptr_eq(node->root, root_of(i));
            ck_assert_uint_le(++length, (uint32_t)count);
            node = node->member;
        } while (node != &locks[i]->node);
        ck_assert_uint_eq(length, root_of(i)->size);
    }
}

static void check_components(size_t count, bool exact) {
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < count; b++) {
            if (locks[a] == NULL || locks[b] == NULL)
                continue;
            if (together(a, b))
                ck_assert_ptr_eq(root_of(a), root_of(b));
            else if (exact)
                ck_assert_ptr_ne(root_of(a), root_of(b));
        }
}

/* The edges within a component are the watched ones. */
static void check_watched(size_t count) {
    for (size_t from = 0; from < count; from++)
        for (struct lge_edge *e = locks[from]->node.out; e != NULL; e = e->next_out)
            ck_assert(lge_watched(e) == (e->from->root == e->to->root));
}

static enum lge_order_result expected(size_t from, size_t to) {
    if (root_of(from) == root_of(to))
        return LGE_ORDER_WITHIN;
    if (root_of(from)->order < root_of(to)->order)
        return LGE_ORDER_AGREES;
    return reaches(to, from) ? LGE_ORDER_MERGED : LGE_ORDER_MOVED;
}

static void add_edge(size_t from, size_t to, size_t count) {
    if (from == to || (edges[from] >> to & 1))
        return;
    enum lge_order_result result = expected(from, to);
    struct lge_edge *edge = lge_edge_add(&locks[from]->node, &locks[to]->node);
    ck_assert_ptr_nonnull(edge);
    ck_assert_int_eq(lge_order_insert(&locks[from]->node, &locks[to]->node), result);
    if (result == LGE_ORDER_WITHIN)
        lge_watch(edge); /* what check.c does */
    edges[from] |= (uint64_t)1 << to;
    close_transitively(count);
}

static void forget_all(void) {
    lge_graph_reset();
    memset(locks, 0, sizeof locks);
}

START_TEST(random_edges_keep_order_and_components) {
    for (int round = 0; round < rounds(60); round++) {
        size_t count = 5 + engine_random(36);
        place_locks(count);
        close_transitively(count);
        for (size_t n = 0; n < count * 3; n++) {
            add_edge(engine_random((uint32_t)count), engine_random((uint32_t)count), count);
            check_order(count);
            check_components(count, true);
        }
        check_rings(count);
        check_watched(count);
        forget_all();
    }
}
END_TEST

/* Without a cycle: edges only from smaller to larger numbers of a permutation. */
START_TEST(acyclic_edges_never_merge) {
    for (int round = 0; round < rounds(40); round++) {
        size_t count = 30, rank[30];
        place_locks(count);
        close_transitively(count);
        for (size_t i = 0; i < count; i++)
            rank[i] = i;
        for (size_t i = count; i-- > 1;) {
            size_t j = engine_random((uint32_t)i + 1), swap = rank[i];
            rank[i] = rank[j];
            rank[j] = swap;
        }
        for (int n = 0; n < 150; n++) {
            size_t a = engine_random((uint32_t)count), b = engine_random((uint32_t)count);
            if (rank[a] < rank[b])
                add_edge(a, b, count);
            check_order(count);
        }
        for (size_t i = 0; i < count; i++)
            ck_assert_uint_eq(root_of(i)->size, 1);
        forget_all();
    }
}
END_TEST

static void remove_lock(size_t i, size_t count) {
    lge_lock_destroyed(i + 1);
    ck_assert_ptr_null(lge_lock_find(i + 1));
    locks[i] = NULL;
    edges[i] = 0;
    for (size_t from = 0; from < count; from++)
        edges[from] &= ~((uint64_t)1 << i);
    locks[i] = place_lock(i + 1, false); /* a new one in its place */
    close_transitively(count);
}

/* What was one component may stay one: never less than the true ones. */
START_TEST(removed_nodes_leave_a_valid_order) {
    for (int round = 0; round < rounds(60); round++) {
        size_t count = 4 + engine_random(20);
        place_locks(count);
        close_transitively(count);
        for (size_t n = 0; n < count * 6; n++) {
            if (engine_random(5) == 0) {
                remove_lock(engine_random((uint32_t)count), count);
            } else {
                size_t from = engine_random((uint32_t)count), to = engine_random((uint32_t)count);
                if (from != to && !(edges[from] >> to & 1)) {
                    ck_assert_ptr_nonnull(lge_edge_add(&locks[from]->node, &locks[to]->node));
                    lge_order_insert(&locks[from]->node, &locks[to]->node);
                    edges[from] |= (uint64_t)1 << to;
                    close_transitively(count);
                }
            }
            check_order(count);
            check_components(count, false);
            check_rings(count);
        }
        forget_all();
    }
}
END_TEST

static void link_locks(size_t from, size_t to) {
    ck_assert_ptr_nonnull(lge_edge_add(&locks[from]->node, &locks[to]->node));
    lge_order_insert(&locks[from]->node, &locks[to]->node);
}

/* Each edge of a chain built from its end contradicts the places given. */
START_TEST(a_chain_against_the_order) {
    enum { LONG = 1000 };
    for (size_t i = 0; i < LONG; i++)
        locks[i] = place_lock(i + 1, false);
    uint64_t before = lge_order_moves();
    for (size_t i = 0; i + 1 < LONG; i++)
        link_locks(i + 1, i);
    ck_assert_uint_eq(lge_order_moves() - before, LONG - 1);
    for (size_t i = 0; i + 1 < LONG; i++)
        ck_assert_int_gt(root_of(i)->order, root_of(i + 1)->order);
    link_locks(0, LONG - 1); /* and closed to a ring */
    for (size_t i = 0; i < LONG; i++)
        ck_assert_ptr_eq(root_of(i), root_of(0));
    ck_assert_uint_eq(root_of(0)->size, LONG);
}
END_TEST

/* All of one side, then all of the other, below it. */
START_TEST(two_sides_change_places) {
    enum { SIDE = 40 };
    for (size_t i = 0; i < 2 * SIDE; i++)
        locks[i] = place_lock(i + 1, false);
    for (size_t low = SIDE; low < 2 * SIDE; low++)
        for (size_t high = 0; high < SIDE; high++)
            link_locks(low, high);
    for (size_t low = SIDE; low < 2 * SIDE; low++)
        for (size_t high = 0; high < SIDE; high++)
            ck_assert_int_lt(root_of(low)->order, root_of(high)->order);
}
END_TEST

START_TEST(two_rings_become_one) {
    for (size_t i = 0; i < 8; i++)
        locks[i] = place_lock(i + 1, false);
    for (size_t i = 0; i < 4; i++) {
        link_locks(i, (i + 1) % 4);
        link_locks(4 + i, 4 + (i + 1) % 4);
    }
    link_locks(0, 4);
    ck_assert_uint_eq(root_of(0)->size, 4);
    ck_assert_int_lt(root_of(0)->order, root_of(4)->order);
    link_locks(6, 2);
    ck_assert_uint_eq(root_of(0)->size, 8);
    check_rings(8);
}
END_TEST

START_TEST(a_place_is_at_the_end_or_at_the_start) {
    struct lge_lock *middle = place_lock(1, false), *last = place_lock(2, false),
                    *first = place_lock(3, true);
    ck_assert_int_lt(first->node.order, middle->node.order);
    ck_assert_int_lt(middle->node.order, last->node.order);
    ck_assert(lge_order_stamp() != lge_order_stamp());
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_order");
    TCase *tests = engine_case(suite, "order");
    tcase_add_test(tests, random_edges_keep_order_and_components);
    tcase_add_test(tests, acyclic_edges_never_merge);
    tcase_add_test(tests, removed_nodes_leave_a_valid_order);
    tcase_add_test(tests, a_chain_against_the_order);
    tcase_add_test(tests, two_sides_change_places);
    tcase_add_test(tests, two_rings_become_one);
    tcase_add_test(tests, a_place_is_at_the_end_or_at_the_start);
    return engine_run(suite);
}
