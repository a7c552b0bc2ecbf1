/* The scenario harness: plain-text programs of simulated threads and locks,
 * fed to the engine as events, and the findings they must end with.
 *
 * Everything runs on one real thread.  A case is parsed once (case.h part
 * below), run once or many times (every permutation, every interleaving), and
 * each run starts from an empty engine.  The language: docs/scenarios.md. */
#ifndef LOCKGRAPH_TESTS_SCENARIO_H
#define LOCKGRAPH_TESTS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/engine.h"

/* ---- growing arrays ---- */

#define LIST(type)                                                                                           \
    struct {                                                                                                 \
        type *at;                                                                                            \
        size_t count, room;                                                                                  \
    }
/* Adds one zeroed element and yields its address, valid until the next ADD. */
#define ADD(list)                                                                                            \
    ((list)->at = list_grow((list)->at, &(list)->count, &(list)->room, sizeof *(list)->at),                  \
     &(list)->at[(list)->count - 1])
void *list_grow(void *at, size_t *count, size_t *room, size_t size);

/* ---- a parsed case ---- */

enum object_kind { OBJECT_UNKNOWN, OBJECT_LOCK, OBJECT_BARRIER, OBJECT_SIGNAL, OBJECT_CONDITION };

struct object {
    char *name;
    enum object_kind kind;
    int line; /* first mention */
    /* locks */
    enum lgr_lock_kind lock_kind;
    bool recursive, errorcheck, prefer_writer;
    bool counts;        /* a semaphore with slots, declared by `sem` */
    unsigned slots;     /* its first value */
    size_t class_index; /* NO_CLASS: a class of its own, by its name */
    int level;          /* NO_LEVEL: none */
    bool keyed;
    uint64_t key;
    /* barriers */
    unsigned parties;
};
#define NO_CLASS SIZE_MAX
#define NO_LEVEL INT16_MIN

struct class_name {
    char *name;
    enum lgr_class_kind kind;
    bool constructed; /* INIT, of one call that all such classes of the case share */
};

struct thread_name {
    char *name;
    bool created; /* by a `create` step, not there from the start */
};

enum step_kind {
    STEP_LOCK,
    STEP_UNLOCK,
    STEP_CREATE,
    STEP_JOIN,
    STEP_EXIT,
    STEP_BARRIER,
    STEP_POST,
    STEP_WAIT,
    STEP_CONDITION_WAIT,
    STEP_SIGNAL,
    STEP_BROADCAST,
    STEP_DESTROY,
    STEP_INIT,
    STEP_REUSE,
    STEP_HAND_OVER,
    STEP_TAKE, /* wait for a semaphore that counts */
    STEP_GIVE, /* post it */
};
struct step {
    enum step_kind kind;
    size_t object; /* index of the object; of the thread for CREATE and JOIN */
    size_t other;  /* CONDITION_WAIT: the mutex; REUSE: the new lock; HAND_OVER: the receiving thread */
    enum lgr_mode mode;
    bool attempt; /* trylock */
    bool timed;
    int line;
    size_t label; /* 1 + index of the `at` label; 0: none */
};

enum event_kind { EVENT_NONE, EVENT_TIMEOUT, EVENT_AGAIN };
struct script_line {
    size_t thread;
    int line;
    enum event_kind event; /* something that happens to a blocked thread, instead of steps */
    LIST(struct step) steps;
};

enum expectation_kind { EXPECT_FINDING, EXPECT_SILENCE, EXPECT_QUIET, EXPECT_COUNT, EXPECT_STUCK };
enum expectation_when { WHEN_ALWAYS, WHEN_STUCK, WHEN_DONE, WHEN_SOME };
struct context_pair {
    char *held, *request; /* labels */
};
struct expectation {
    enum expectation_kind kind;
    enum expectation_when when;
    int line;
    char *text;
    enum lgr_kind finding;
    enum lgr_verdict verdict;
    bool has_reason;
    enum lgr_reason reason;
    char *reason_name; /* lock or thread; NULL: not compared */
    size_t count;
    LIST(char *) locks;   /* FINDING: the ring; STUCK: unused */
    LIST(char *) threads; /* FINDING: `by`, along the ring; STUCK: the set */
    LIST(struct context_pair) contexts;
    bool used; /* matched in some run */
};

enum schedule { SCHEDULE_AS_WRITTEN, SCHEDULE_PERMUTE, SCHEDULE_INTERLEAVE };

struct scenario {
    const char *file;
    int line;
    char *name;
    enum schedule schedule;
    size_t limit;                /* most runs */
    bool stalls;                 /* are looked for */
    enum lgr_severity tolerated; /* findings not expected up to this severity pass; 0: none */
    LIST(struct object) objects;
    LIST(struct class_name) classes;
    LIST(struct thread_name) threads;
    LIST(char *) labels;
    LIST(struct script_line) lines;
    LIST(struct expectation) expectations;
};

/* Calls `take` with each case of the file, in order; the case is freed after.
 * An error in the file is printed with its line and ends the program (2). */
void parse_file(const char *path, void (*take)(struct scenario *scenario, void *user), void *user);
void parse_stream(FILE *file, const char *name, void (*take)(struct scenario *scenario, void *user),
                  void *user);

/* Parts of the parser that are shared by its files. */
struct words {
    LIST(char *) list;
};
__attribute__((noreturn, format(printf, 3, 4))) void parse_fail(const struct scenario *scenario, int line,
                                                                const char *format, ...);
void words_split(const struct scenario *scenario, int line, const char *text, struct words *words);
void words_free(struct words *words);
void parse_expectation(struct scenario *scenario, int line, const struct words *words, const char *text);
void parse_steps(struct scenario *scenario, int line, size_t thread, char *text);
size_t object_find(struct scenario *scenario, int line, const char *name, enum object_kind kind);
size_t thread_find(struct scenario *scenario, const char *name, bool add);
char *text_copy(const char *text);

/* ---- findings as the engine reported them ---- */

struct seen_finding {
    struct lge_finding head;             /* edges: unused */
    LIST(struct lge_finding_edge) edges; /* held points to an own copy */
};
struct seen {
    LIST(struct seen_finding) findings; /* one per problem: the last grade */
    char error[256];                    /* first broken promise of the engine; "" when none */
};
void seen_take(const struct lge_finding *finding, void *user); /* user: struct seen * */
void seen_clear(struct seen *seen);
/* Notes the first error only. */
__attribute__((format(printf, 2, 3))) void seen_error(struct seen *seen, const char *format, ...);

/* ---- one run ---- */

enum blocked {
    BLOCKED_NOT,
    BLOCKED_LOCK,
    BLOCKED_JOIN,
    BLOCKED_BARRIER,
    BLOCKED_WAIT,
    BLOCKED_CONDITION,
    BLOCKED_SLOT
};

/* What a thread holds, as the simulation knows it: addresses, as the engine. */
struct hold {
    const void *address;
    size_t lock;
    enum lgr_mode mode;
};
struct sim_thread {
    struct lge_thread *engine; /* NULL before creation and after the join */
    uint32_t serial;
    bool started, ended, joined;
    LIST(const struct step *) program;
    size_t next;      /* index of the step to run or that is blocked */
    size_t available; /* steps that the schedule has released so far */
    enum blocked blocked;
    bool woken;   /* barrier passed or condition signalled */
    bool watched; /* its wait for a slot was told to the engine */
    size_t since;
    LIST(struct hold) holds;
};
/* The memory that a lock lives in; its owner field is what glibc keeps in a mutex. */
struct storage {
    int owner;
    char rest[60];
};
struct sim_lock {
    struct storage *storage;
    uint64_t id; /* 0: none yet */
    unsigned generation;
    size_t writer; /* 1 + thread; 0: none */
    size_t depth;
    unsigned *readers; /* per thread */
    unsigned value;    /* of a semaphore that counts */
};
struct sim_sync {
    struct lge_sync *sync;
    unsigned value;             /* arrivals, or posts not waited for */
    _Atomic uint32_t signalled; /* of a condition's waiters, that have not run since */
    uint64_t id;                /* of a signal that is waited for; 0: none yet */
};
struct lock_name {
    uint64_t id;
    size_t object;
    char *name;
};
struct world {
    const struct scenario *scenario;
    struct sim_thread *threads;
    struct sim_lock *locks; /* by object index; unused for other objects */
    struct storage *storage;
    struct sim_sync *syncs;
    LIST(struct lock_name) names;
    uint32_t *class_ids; /* by class index, 0: not yet asked for; then by object */
    size_t clock;
    struct seen seen;
};

void world_begin(struct world *world, const struct scenario *scenario);
void world_end(struct world *world);
bool world_runnable(const struct world *world, size_t thread);
void world_create(struct world *world, size_t parent, size_t thread);
/* A thread without further steps has ended. */
void world_finish_if_over(struct world *world, size_t thread);
void world_new_identity(struct world *world, size_t thread, size_t lock);
int world_tid(size_t thread);
/* One step of a runnable thread: begins the next one, or finishes the blocked one. */
void world_step(struct world *world, size_t thread);
void world_event(struct world *world, const struct script_line *line);
bool world_stuck(const struct world *world, size_t thread);
bool world_all_done(const struct world *world);
uint32_t world_context(const struct world *world, const struct step *step, uintptr_t *site);
uint32_t world_label_context(const struct world *world, size_t label);
uint32_t world_class(struct world *world, size_t object);
const char *world_lock_name(const struct world *world, uint64_t id); /* "?" when not known */
/* The declaration behind an identity; NULL when not known. */
const struct object *world_lock_object(const struct world *world, uint64_t id);
const char *world_class_name(const struct world *world, uint32_t class_id);
const char *world_thread_name(const struct world *world, uint32_t serial);

/* Simulated locks. */
enum grant { GRANT_NOW, GRANT_BUSY, GRANT_ERROR };
enum grant lock_grant(const struct world *world, size_t thread, const struct step *step, size_t lock);
void lock_take(struct world *world, size_t thread, size_t lock, enum lgr_mode mode);
void lock_give(struct world *world, size_t thread, size_t lock);
void lock_renew(struct world *world, size_t thread, size_t lock);
const struct hold *lock_hold(const struct world *world, size_t thread, size_t lock);

/* ---- judging ---- */

/* Checks what any run must satisfy (findings are well formed, a feasible cycle
 * really has distinct threads and no gate); notes into world->seen.error. */
void audit_findings(struct world *world);

/* Compares the run with the case; prints the difference and returns false.
 * `how` names the permutation or interleaving, "" when there is one run only. */
bool judge_run(struct scenario *scenario, const struct world *world, const char *how);
/* After all runs: expectations `in some`, and branches that never came up. */
bool judge_all(const struct scenario *scenario);

bool schedule_run(struct scenario *scenario);

const char *kind_text(enum lgr_kind kind);
const char *verdict_text(enum lgr_verdict verdict);
const char *reason_text(enum lgr_reason reason);

/* The random property tests: `count` programs; seed 0: a fixed default. */
int oracle_main(size_t count, uint64_t seed);
int grades_main(size_t count, uint64_t seed);
int graphs_main(size_t count, uint64_t seed);
int hangs_main(size_t count, uint64_t seed);
uint64_t random_seed(uint64_t seed, size_t i); /* of the i-th program */
void random_start(uint64_t seed);
unsigned random_below(unsigned limit);

#endif
