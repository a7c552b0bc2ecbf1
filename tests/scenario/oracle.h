/* Random programs and the oracle that judges the engine by them. */
#ifndef LOCKGRAPH_TESTS_ORACLE_H
#define LOCKGRAPH_TESTS_ORACLE_H

#include "scenario.h"

#define LOCKS   6
#define SIGNALS 2
#define THREADS 8 /* in all; at most LIVE at once */
#define LIVE    4
#define STEPS   64

enum random_kind {
    RANDOM_LOCK,
    RANDOM_TIMED, /* as LOCK, with a time limit of the program's own */
    RANDOM_TRY,
    RANDOM_UNLOCK,
    RANDOM_POST,
    RANDOM_WAIT,
    RANDOM_BARRIER, /* of two threads */
    RANDOM_CREATE,
    RANDOM_JOIN
};
struct random_step {
    enum random_kind kind;
    unsigned thread, object; /* object: lock, signal or thread */
    bool shared;
};
struct program {
    struct random_step steps[STEPS];
    size_t count;
    unsigned first_threads;
    enum lgr_lock_kind kinds[LOCKS];
    bool prefer_writer[LOCKS];
    bool one_place; /* all lock calls are made at one place for each mode and way of asking */
};

struct clock {
    unsigned times[THREADS];
};
/* Chains as numbers: six bits a lock, outermost first. */
struct chains {
    uint64_t at[STEPS];
    size_t count;
};
struct random_thread {
    struct lge_thread *engine;
    uint32_t serial;
    unsigned held;       /* set of locks */
    unsigned owned;      /* of those, the ones held exclusively */
    uint64_t stack;      /* the same as a chain */
    unsigned handed;     /* set of semaphores held that were taken under a lock given up since */
    struct chains known; /* that cost the engine one compare: see repeats() */
    bool ended;
    struct clock clock;
};
struct dependency {
    unsigned thread, request, held, owned;
    bool shared, timed; /* the request */
    unsigned handed;    /* of those held, as above */
    bool traceless;     /* a repeat that the engine does not notice, by design */
    struct clock clock; /* its own component is its time */
};
struct machine {
    struct random_thread threads[THREADS];
    const struct program *program;
    unsigned written;          /* set of rwlocks for which somebody asked to write */
    unsigned written_for_long; /* of those, without a time limit */
    unsigned posted[SIGNALS];
    struct lge_sync *syncs[SIGNALS];
    struct clock flowed[SIGNALS];
    uint64_t ids[LOCKS];
    unsigned leads_to[LOCKS]; /* closure of the order graph: sets of locks */
    unsigned after[LOCKS];    /* the graph itself */
    struct dependency dependencies[STEPS];
    size_t dependency_count;
    struct seen seen;
    char expect[64]; /* what should have been said, in the scenario language */
};

void machine_begin(struct machine *machine, const struct program *program);
void machine_end(struct machine *machine);
/* False when the step is not possible now: nothing happened. */
bool machine_execute(struct machine *machine, const struct random_step *step);

enum outcome {
    AGREE,
    UNSOUND,    /* something is reported that the evidence does not say */
    INCOMPLETE, /* a cycle is neither reported nor covered by a worse one */
    LOW,        /* a reported cycle is worse than its grade */
    EXHAUSTED,  /* a search gave up */
    BROKEN      /* a promise about every finding */
};
/* Compares what the engine reported so far with all cycles there are; *worst is
 * the highest grade among those. */
enum outcome oracle_compare(struct machine *machine, enum lgr_verdict *worst);

/* Programs at random: any, or ones that are rich in gates, hand-overs, time
 * limits and repeated threads. */
void program_of_any_kind(struct program *program);
void program_of_all_grades(struct program *program);
/* As a case in the scenario language, but for what is expected. */
void program_print(const struct program *program);

#endif
