/* Random graphs of rwlocks against every simple cycle.
 *
 * An event is a thread of its own that takes one rwlock, shared or exclusively,
 * and requests another one, shared or exclusively; or one that just writes a
 * lock.  So there are no gates, and no thread has two parts in a cycle.  Some
 * locks prefer writers: there a reader waits for a reader once somebody asked to
 * write.  A cycle of locks is feasible when one event can be chosen for each of
 * its edges so that each request waits for the next one's hold.  Required, in
 * whatever order the events come (in some graphs all shared ones first):
 *   at the end, and for some graphs after every event: something is reported
 *   exactly when there is a feasible cycle, and each feasible cycle has an edge
 *   in common with a reported one;
 *   each report is such a cycle, of these events, and as short as the shortest
 *   through the edge that the event made or opened;
 *   nothing is reported that is not feasible, and no search gives up.
 * Each graph is run in two orders, the second one the reverse of the first.  A
 * failing graph is shrunk and printed in the scenario language. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scenario.h"

#define LOCKS_MOST     12
#define EVENTS_MOST    40
#define BUDGET         (1u << 20)
#define AT_EVERY_EVENT 8 /* of so many graphs one */

struct event {
    unsigned held, wanted; /* the same: the lock is only written */
    bool held_shared, wanted_shared;
    bool attempt; /* the hold is by trylock: no writer that others wait behind */
};
struct graph {
    struct event events[EVENTS_MOST];
    size_t count;
    unsigned locks;
    unsigned prefer_writer; /* set of locks */
    enum { CLASS_EACH, CLASS_ONE, CLASS_GUESSED } classes;
};

/* What happened so far. */
struct past {
    const struct graph *graph;
    size_t count;     /* events of which the edge is there */
    unsigned written; /* set of locks */
    uint64_t ids[LOCKS_MOST];
    uint32_t serials[EVENTS_MOST];
    unsigned reported[LOCKS_MOST]; /* sets of locks: edges of reported cycles */
    size_t reports;
    unsigned asked; /* the lock of the running request */
    char error[256];
};

/* ---- cycles, by brute force ---- */

struct walk {
    const struct past *past;
    const struct event *path[LOCKS_MOST], *found[LOCKS_MOST];
    size_t length, shortest;
    bool uncovered; /* looks for a cycle that no report has an edge of */
};

static bool is_edge(const struct event *event) { return event->held != event->wanted; }

/* Whether the request of one waits for what the other holds. */
static bool waits(const struct past *past, const struct event *one, const struct event *other) {
    unsigned queues = past->graph->prefer_writer & past->written;
    return one->wanted == other->held &&
           (!one->wanted_shared || !other->held_shared || (queues & 1u << one->wanted));
}

static bool visited(const struct walk *walk, unsigned lock) {
    for (size_t i = 0; i < walk->length; i++) {
        if (walk->path[i]->held == lock) {
            return true;
        }
    }
    return false;
}

static void close_walk(struct walk *walk) {
    for (size_t i = 0; walk->uncovered && i < walk->length; i++) {
        if (walk->past->reported[walk->path[i]->held] & 1u << walk->path[i]->wanted) {
            return;
        }
    }
    if (walk->length < walk->shortest) {
        walk->shortest = walk->length;
        memcpy(walk->found, walk->path, sizeof walk->found);
    }
}

/* Every simple path of waits, from the first event on. */
static void extend(struct walk *walk, const struct event *next) {
    walk->path[walk->length++] = next;
    if (waits(walk->past, next, walk->path[0])) {
        close_walk(walk);
    }
    for (size_t i = 0; i < walk->past->count; i++) {
        const struct event *event = &walk->past->graph->events[i];
        if (is_edge(event) && waits(walk->past, next, event) && !visited(walk, event->held)) {
            extend(walk, event);
        }
    }
    walk->length--;
}

/* Length of the shortest feasible cycle through the event; SIZE_MAX: none. */
static size_t shortest_through(const struct past *past, const struct event *event) {
    struct walk walk = {.past = past, .shortest = SIZE_MAX};
    extend(&walk, event);
    return walk.shortest;
}

/* A shortest feasible cycle of all; or of those that no report has an edge of. */
static struct walk shortest_of_all(const struct past *past, bool uncovered) {
    struct walk walk = {.past = past, .shortest = SIZE_MAX, .uncovered = uncovered};
    for (size_t i = 0; i < past->count; i++) {
        if (is_edge(&past->graph->events[i])) {
            extend(&walk, &past->graph->events[i]);
        }
    }
    return walk;
}

/* ---- reports ---- */

__attribute__((format(printf, 2, 3))) static void fail(struct past *past, const char *format, ...) {
    if (past->error[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(past->error, sizeof past->error, format, arguments);
    va_end(arguments);
}

/* The event behind a reported edge; NULL: there is none like it. */
static const struct event *event_of(const struct past *past, const struct lge_finding_edge *edge) {
    for (size_t i = 0; i < past->count; i++) {
        const struct event *event = &past->graph->events[i];
        if (past->serials[i] == edge->thread && is_edge(event) && past->ids[event->held] == edge->from &&
            past->ids[event->wanted] == edge->to && (edge->mode_from == LGR_SHARED) == event->held_shared &&
            (edge->mode_to == LGR_SHARED) == event->wanted_shared && edge->held_count == 1) {
            return event;
        }
    }
    return NULL;
}

/* The events behind the edges; false, and a fault, when there are none. */
static bool find_events(struct past *past, const struct lge_finding *finding, const struct event **events) {
    if (finding->kind != LGR_KIND_ORDER_CYCLE || finding->verdict != LGR_VERDICT_FEASIBLE ||
        finding->edge_count > LOCKS_MOST) {
        fail(past, "what is reported is no feasible order cycle");
        return false;
    }
    for (size_t i = 0; i < finding->edge_count; i++) {
        events[i] = event_of(past, &finding->edges[i]);
        if (!events[i]) {
            fail(past, "an edge is reported that is not there");
            return false;
        }
        past->reported[events[i]->held] |= 1u << events[i]->wanted;
    }
    return true;
}

/* A simple cycle, as short as any through the edge that leads to the lock that
 * was asked for: that is where the engine looked. */
static void check_cycle(struct past *past, const struct event *const *events, size_t length) {
    unsigned locks = 0;
    const struct event *looked_at = NULL;
    for (size_t i = 0; i < length; i++) {
        looked_at = events[i]->wanted == past->asked ? events[i] : looked_at;
        locks |= 1u << events[i]->held;
        if (!waits(past, events[i], events[(i + 1) % length])) {
            fail(past, "a reported request does not wait for the next thread");
        }
    }
    if ((size_t)__builtin_popcount(locks) != length || !looked_at) {
        fail(past, "what is reported is no simple cycle through the lock asked for");
    } else if (length != shortest_through(past, looked_at)) {
        fail(past, "a cycle of %zu is reported, there is one of %zu", length,
             shortest_through(past, looked_at));
    }
}

static void take_report(const struct lge_finding *finding, void *user) {
    struct past *past = user;
    const struct event *events[LOCKS_MOST];
    past->reports++;
    if (find_events(past, finding, events)) {
        check_cycle(past, events, finding->edge_count);
    }
}

static void check_all(struct past *past) {
    struct lge_figures figures;
    lge_figures(&figures);
    bool feasible = shortest_of_all(past, false).shortest != SIZE_MAX;
    if (feasible != (past->reports > 0)) {
        fail(past, feasible ? "a feasible cycle is not reported" : "there is no feasible cycle");
    } else if (feasible && shortest_of_all(past, true).shortest != SIZE_MAX) {
        fail(past, "a feasible cycle has no edge in common with a reported one");
    } else if (figures.degraded != 0 || figures.search_steps >= BUDGET) {
        fail(past, "a search gave up");
    }
}

/* ---- feeding the engine ---- */

static uint32_t class_of(const struct graph *graph, unsigned lock) {
    uintptr_t frame = 0x9000 + 16 * lock;
    const char name[] = {graph->classes == CLASS_ONE ? 'P' : (char)('A' + lock), '\0'};
    return graph->classes == CLASS_GUESSED ? lge_class_guessed(lge_context_intern(&frame, 1, false))
                                           : lge_class_named(name);
}

static struct lge_request request_of(const struct past *past, unsigned lock, bool shared) {
    uintptr_t frame = 0x5000 + 32 * lock + 16 * shared;
    struct lge_request request = {.address = &past->ids[lock],
                                  .id = past->ids[lock],
                                  .site = frame,
                                  .mode = shared ? LGR_SHARED : LGR_EXCLUSIVE,
                                  .kind = LGR_LOCK_RWLOCK};
    request.context = lge_context_intern(&frame, 1, false);
    request.flags = past->graph->prefer_writer & 1u << lock ? LGE_WRITER_PREFERRED : 0;
    return request;
}

static void ask(struct past *past, struct lge_thread *thread, const struct lge_request *request,
                unsigned lock) {
    past->asked = lock;
    past->written |= request->mode == LGR_EXCLUSIVE ? 1u << lock : 0;
    lge_check(thread, request);
}

static void execute(struct past *past, size_t index) {
    const struct event *event = &past->graph->events[index];
    struct lge_thread *thread = lge_thread_new(NULL, 0, 0);
    lge_thread_begin(thread, 100 + (uint32_t)index, 0, 0);
    past->serials[index] = lge_thread_serial(thread);
    struct lge_request held = request_of(past, event->held, event->held_shared);
    struct lge_request wanted = request_of(past, event->wanted, event->wanted_shared);
    if (!event->attempt) {
        ask(past, thread, &held, event->held);
    }
    lge_acquired(thread, &held);
    past->count = index + 1;
    if (is_edge(event)) {
        ask(past, thread, &wanted, event->wanted);
        lge_acquired(thread, &wanted);
        lge_released(thread, &past->ids[event->wanted]);
    }
    lge_released(thread, &past->ids[event->held]);
}

struct result {
    bool feasible;
    char error[256], expect[64];
};

static void expect(struct result *result, const struct walk *walk) {
    int used = snprintf(result->expect, sizeof result->expect,
                        result->feasible ? "order-cycle feasible" : "silence");
    for (size_t i = 0; result->feasible && i < walk->shortest; i++) {
        used += snprintf(result->expect + used, sizeof result->expect - (size_t)used, " %c",
                         'A' + (int)walk->found[i]->held);
    }
}

static struct result run_graph(const struct graph *graph, bool every_event) {
    struct past past = {.graph = graph};
    struct lge_config config = {
        .search_budget = BUDGET, .stack_depth = 4, .on_finding = take_report, .user = &past};
    lge_start(&config);
    struct lge_thread *maker = lge_thread_new(NULL, 0, 0);
    for (unsigned i = 0; i < graph->locks; i++) {
        past.ids[i] = lge_lock_id_new(maker, class_of(graph, i));
    }
    for (size_t i = 0; i < graph->count; i++) {
        execute(&past, i);
        if (every_event) {
            check_all(&past);
        }
    }
    lge_finish();
    check_all(&past);
    struct walk worst = shortest_of_all(&past, false);
    struct result result = {.feasible = worst.shortest != SIZE_MAX};
    memcpy(result.error, past.error, sizeof result.error);
    expect(&result, &worst);
    lge_reset();
    return result;
}

/* ---- making graphs ---- */

static struct event make_event(const struct graph *graph, unsigned shared, unsigned writers) {
    struct event event = {.held = random_below(graph->locks), .wanted = random_below(graph->locks)};
    if (random_below(100) < writers) {
        event.wanted = event.held;
    } else if (event.wanted == event.held) {
        event.wanted = (event.held + 1) % graph->locks;
    }
    event.held_shared = is_edge(&event) && random_below(100) < shared;
    event.wanted_shared = random_below(100) < shared;
    event.attempt = is_edge(&event) && random_below(4) == 0;
    return event;
}

/* The weak edges first: they must not hide the strong ones. */
static void weak_first(struct graph *graph) {
    size_t weak = 0;
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->events[i].held_shared && graph->events[i].wanted_shared) {
            struct event event = graph->events[i];
            graph->events[i] = graph->events[weak];
            graph->events[weak++] = event;
        }
    }
}

static void make_graph(struct graph *graph) {
    *graph = (struct graph){.locks = 2 + random_below(LOCKS_MOST - 1)};
    unsigned shared = 30 + random_below(70), writers = random_below(3) == 0 ? 20 : 0;
    size_t wanted = 2 + random_below(graph->locks * 5 / 2);
    graph->prefer_writer = random_below(2) == 0 ? random_below(1u << LOCKS_MOST) : 0;
    graph->classes = random_below(3);
    while (graph->count < wanted && graph->count < EVENTS_MOST) {
        graph->events[graph->count++] = make_event(graph, shared, writers);
    }
    if (random_below(4) == 0) {
        weak_first(graph);
    }
}

/* ---- telling ---- */

static void print_event(const struct event *event, size_t index) {
    char held = (char)('A' + event->held), wanted = (char)('A' + event->wanted);
    printf("T%zu: %s%slock %c;", index + 1, event->attempt ? "try" : "", event->held_shared ? "rd" : "wr",
           held);
    if (is_edge(event)) {
        printf(" %slock %c; unlock %c;", event->wanted_shared ? "rd" : "wr", wanted, wanted);
    }
    printf(" unlock %c\n", held);
}

static void print_graph(const struct graph *graph, const struct result *result) {
    printf("# %s\ncase random graph\n", result->error);
    for (unsigned i = 0; i < graph->locks; i++) {
        printf("rwlock %c%s\n", 'A' + (int)i, graph->prefer_writer & 1u << i ? " prefer-writer" : "");
    }
    if (graph->classes == CLASS_ONE) {
        printf("class P named A..%c\n", 'A' + (int)graph->locks - 1);
    }
    for (size_t i = 0; i < graph->count; i++) {
        print_event(&graph->events[i], i);
    }
    printf("%sexpect %s\n", result->feasible ? "allow others\n" : "", result->expect);
}

/* Leaves out every event that the failure does not need. */
static void shrink(struct graph *graph, bool every_event) {
    for (size_t i = graph->count; i-- > 0;) {
        struct graph smaller = *graph;
        smaller.count--;
        memmove(smaller.events + i, smaller.events + i + 1, (smaller.count - i) * sizeof *smaller.events);
        if (run_graph(&smaller, every_event).error[0] != '\0') {
            *graph = smaller;
            i = graph->count;
        }
    }
}

static void reverse(struct graph *graph) {
    for (size_t i = 0, j = graph->count; i + 1 < j; i++) {
        struct event event = graph->events[i];
        graph->events[i] = graph->events[--j];
        graph->events[j] = event;
    }
}

static void tell(struct graph *graph, bool every_event, uint64_t seed) {
    printf("FAIL graphs (seed %#llx)\n", (unsigned long long)seed);
    shrink(graph, every_event);
    struct result result = run_graph(graph, every_event);
    print_graph(graph, &result);
}

int graphs_main(size_t count, uint64_t seed) {
    size_t failed = 0, feasible = 0;
    count = seed ? 1 : count;
    for (size_t i = 0; i < count; i++) {
        struct graph graph;
        random_start(random_seed(seed, i));
        make_graph(&graph);
        bool every_event = seed || i % AT_EVERY_EVENT == 0;
        struct result result = run_graph(&graph, every_event);
        feasible += result.feasible;
        if (result.error[0] == '\0') {
            reverse(&graph);
            result = run_graph(&graph, every_event);
        }
        if (result.error[0] != '\0' && failed++ < 10) {
            tell(&graph, every_event, random_seed(seed, i));
        }
    }
    printf("rwlocks: %zu graphs, %zu with a feasible cycle\n", count, feasible);
    if (!seed && (feasible * 5 < count || feasible * 5 > count * 4)) {
        printf("FAIL graphs: they are too one-sided to show anything\n");
        failed++;
    }
    printf("%zu passed, %zu failed\n", count - (failed < count ? failed : count), failed);
    return failed > 0;
}
