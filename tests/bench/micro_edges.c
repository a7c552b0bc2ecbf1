/*
 * What an acquisition costs the first time: a new edge of the order graph, with its stack.
 * Every edge is taken some fifteen frames below _start, by one of 64 stacks.
 */
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>

struct edge {
    pthread_mutex_t *from;
    pthread_mutex_t *to;
};

static MICRO_NOINLINE void take_edge(const struct edge *edge) {
    pthread_mutex_lock(edge->from);
    pthread_mutex_lock(edge->to);
    pthread_mutex_unlock(edge->to);
    pthread_mutex_unlock(edge->from);
}

static MICRO_NOINLINE void descend_right(const struct edge *edge, unsigned path, int depth);

static MICRO_NOINLINE void descend_left(const struct edge *edge, unsigned path, int depth) {
    if (depth == 0)
        take_edge(edge);
    else if (path & 1)
        descend_right(edge, path >> 1, depth - 1);
    else
        descend_left(edge, path >> 1, depth - 1);
    __asm__ volatile("# left");
}

static MICRO_NOINLINE void descend_right(const struct edge *edge, unsigned path, int depth) {
    if (depth == 0)
        take_edge(edge);
    else if (path & 1)
        descend_right(edge, path >> 1, depth - 1);
    else
        descend_left(edge, path >> 1, depth - 1);
    __asm__ volatile("# right");
}

static void take_with_stack(const struct edge *edge, size_t number) {
    descend_left(edge, (unsigned)number * 2654435761u >> 26, 6);
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);

    if (memory == NULL)
        micro_fail("calloc");
    return memory;
}

/* All zero is what every static initialiser of a normal mutex is. */
static pthread_mutex_t *new_locks(size_t count) { return allocate(count, sizeof(pthread_mutex_t)); }

static void take_all(const struct edge *edges, size_t count) {
    for (size_t i = 0; i < count; i++)
        take_with_stack(&edges[i], i);
}

/* Shows the locks to the order graph one after the other, each after its predecessor. */
static size_t take_chain(pthread_mutex_t *locks, size_t count) {
    for (size_t i = 0; i + 1 < count; i++)
        take_with_stack(&(struct edge){&locks[i], &locks[i + 1]}, i);
    return count - 1;
}

static void shuffle(struct edge *edges, size_t count) {
    uint64_t state = 88172645463325252u;

    for (size_t i = count - 1; i > 0; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t j = (size_t)(state >> 33) % (i + 1);
        struct edge swapped = edges[i];
        edges[i] = edges[j];
        edges[j] = swapped;
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Prints nanoseconds an edge: mean of CPU time, median, 99th percentile, worst of wall time. */
static void measure(const struct edge *edges, size_t count, size_t first_number) {
    uint64_t *took = allocate(count, sizeof *took);
    uint64_t cpu = micro_now(MICRO_THREAD_CPU);

    for (size_t i = 0; i < count; i++) {
        uint64_t start = micro_now(MICRO_WALL);
        take_with_stack(&edges[i], first_number + i);
        took[i] = micro_now(MICRO_WALL) - start;
    }
    cpu = micro_now(MICRO_THREAD_CPU) - cpu;
    qsort(took, count, sizeof *took, compare);
    printf("%.1f %llu %llu %llu\n", (double)cpu / (double)count, (unsigned long long)took[count / 2],
           (unsigned long long)took[count * 99 / 100], (unsigned long long)took[count - 1]);
    free(took);
}

/*
 * Edges i -> j with i < j among locks first seen in the order 0, 1, 2, …: they agree with any order kept so
 * far. `before` edges exist when `measured` further ones are timed.
 */
static void agreeing(size_t lock_count, size_t before, size_t measured) {
    pthread_mutex_t *locks = new_locks(lock_count);
    size_t done = take_chain(locks, lock_count);
    size_t needed = before - done + measured;
    struct edge *edges = allocate(needed, sizeof *edges);
    size_t stride = lock_count * lock_count / 2 / needed / 2;
    size_t made = 0;

    stride = stride != 0 ? stride : 1;
    for (size_t distance = 2; made < needed && distance < lock_count; distance += stride)
        for (size_t i = 0; made < needed && i + distance < lock_count; i++)
            edges[made++] = (struct edge){&locks[i], &locks[i + distance]};
    if (made != needed)
        micro_fail("too few locks for that many edges");
    shuffle(edges, needed);
    take_all(edges, before - done);
    measure(edges + (before - done), measured, before - done);
}

static void edges_1k(void) { agreeing(460, 1000, 1000); }

static void edges_100k(void) { agreeing(460, 100000, 1000); }

static void edges_100k_wide(void) { agreeing(4096, 100000, 1000); }

/*
 * Groups of eight pairs x0 -> y0, …, x7 -> y7, seen in this order; then x7 -> y0 in each group, which
 * contradicts the order of first sight without closing a cycle.
 */
static void edges_reorder(void) {
    enum { GROUPS = 1000, PAIRS = 8 };
    pthread_mutex_t *locks = new_locks(GROUPS * PAIRS * 2);
    struct edge *edges = allocate(GROUPS, sizeof *edges);

    for (size_t pair = 0; pair < GROUPS * PAIRS; pair++)
        take_with_stack(&(struct edge){&locks[2 * pair], &locks[2 * pair + 1]}, pair);
    for (size_t group = 0; group < GROUPS; group++) {
        pthread_mutex_t *first = &locks[group * PAIRS * 2];
        edges[group] = (struct edge){first + 2 * (PAIRS - 1), first + 1};
    }
    measure(edges, GROUPS, 0);
}

/* Two chains of 1,000 locks, the later one put before the earlier one by a single edge: all 2,000 have to
 * move. */
static void edges_reorder_worst(void) {
    enum { LENGTH = 1000 };
    pthread_mutex_t *early = new_locks(LENGTH);
    pthread_mutex_t *late = new_locks(LENGTH);

    take_chain(early, LENGTH);
    take_chain(late, LENGTH);
    measure(&(struct edge){&late[LENGTH - 1], &early[0]}, 1, 0);
}

/* 10,000 edges of a hidden hierarchy of 1,000 locks, in random order: many of the first contradict the order
 * so far. */
static void edges_random(void) {
    enum { LOCKS = 1000, EDGES = 10000 };
    pthread_mutex_t *locks = new_locks(LOCKS);
    struct edge *edges = allocate(EDGES, sizeof *edges);
    size_t made = 0;

    for (size_t distance = 1; made < EDGES; distance += 45)
        for (size_t i = 0; made < EDGES && i + distance < LOCKS; i++)
            edges[made++] = (struct edge){&locks[i], &locks[i + distance]};
    shuffle(edges, EDGES);
    measure(edges, EDGES, 0);
}

const struct micro_case micro_edge_cases[] = {
    {"edges-1k", MICRO_WALL, 1, NULL, NULL, edges_1k},
    {"edges-100k", MICRO_WALL, 1, NULL, NULL, edges_100k},
    {"edges-100k-wide", MICRO_WALL, 1, NULL, NULL, edges_100k_wide},
    {"edges-reorder", MICRO_WALL, 1, NULL, NULL, edges_reorder},
    {"edges-reorder-worst", MICRO_WALL, 1, NULL, NULL, edges_reorder_worst},
    {"edges-random", MICRO_WALL, 1, NULL, NULL, edges_random},
    {0}};
