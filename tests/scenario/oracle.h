/* Random programs and the oracle that judges the engine by them. */
#ifndef LOCKGRAPH_TESTS_ORACLE_H
#define LOCKGRAPH_TESTS_ORACLE_H

#include "scenario.h"

#define MUTEXES 5
#define SIGNALS 2
#define THREADS 8 /* in all; at most LIVE at once */
#define LIVE    4
#define STEPS   48

enum random_kind {
    RANDOM_LOCK,
    RANDOM_TRY,
    RANDOM_UNLOCK,
    RANDOM_POST,
    RANDOM_WAIT,
    RANDOM_CREATE,
    RANDOM_JOIN
};
struct random_step {
    enum random_kind kind;
    unsigned thread, object; /* object: mutex, signal or thread */
    bool shared;
};
struct program {
    struct random_step steps[STEPS];
    size_t count;
    unsigned first_threads;
    bool rwlocks;
};

struct clock {
    unsigned times[THREADS];
};
struct random_thread {
    struct lge_thread *engine;
    uint32_t serial;
    unsigned held;       /* set of mutexes */
    unsigned owned;      /* of those, the ones held exclusively */
    uint64_t stack;      /* the same in order, four bits each */
    unsigned generation; /* raised by creating, and by joining with news */
    bool ended;
    struct clock clock;
};
struct dependency {
    unsigned thread, request, held, owned;
    bool shared; /* the request */
    uint64_t stack;
    unsigned generation;
    bool traceless;     /* a repeat that the engine need not have noticed */
    struct clock clock; /* its own component is its time */
};
struct machine {
    struct random_thread threads[THREADS];
    bool rwlocks;
    unsigned posted[SIGNALS];
    struct lge_sync *syncs[SIGNALS];
    struct clock flowed[SIGNALS];
    uint64_t ids[MUTEXES];
    struct dependency dependencies[STEPS];
    size_t dependency_count;
    struct seen seen;
};

enum outcome { AGREE_NONE, AGREE_FEASIBLE, UNSOUND, INCOMPLETE, BROKEN };

void machine_begin(struct machine *machine, const struct program *program);
void machine_end(struct machine *machine);
/* False when the step is not possible now: nothing happened. */
bool machine_execute(struct machine *machine, const struct random_step *step);

/* Compares what the engine reported with a search through all rings. */
enum outcome oracle_compare(const struct machine *machine);

#endif
