/* Random programs against an exhaustive oracle of the grading rule.
 *
 * A program is a list of steps of up to four live threads over up to five
 * mutexes (in every third program rwlocks), semaphores that order, creations and joins, fed to the engine one
 * after another; no step ever blocks.  The oracle keeps every dependency
 * (request, held set, thread, vector clock) and searches all rings.  Required:
 *   sound     each feasible cycle reported is a ring of the oracle, by its own
 *             locks and threads;
 *   complete  each ring of the oracle shares an edge with a reported feasible
 *             cycle, so in particular one is reported when there is any.
 * One dependency is beyond the engine by design: a chain that its thread made
 * before, repeated after a post or wait while no cycle through it was known,
 * costs one compare and leaves no trace.  (Creation, and a join that brings
 * news, do make the thread look anew.)  Rings that need such a repeat are not demanded; they may be
 * reported.
 * A failing program is shrunk and printed in the scenario language. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define MUTEXES      5
#define SIGNALS      2
#define THREADS      8 /* in all; at most LIVE at once */
#define LIVE         4
#define STEPS        48
#define DEFAULT_SEED 0x10cc9ab5u

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

/* ---- random numbers (xorshift) ---- */

static uint64_t random_state;

static unsigned below(unsigned limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 20) % limit);
}

/* ---- executing a program ---- */

/* True when there was something new in it. */
static bool learn(struct clock *to, const struct clock *from) {
    bool news = false;
    for (size_t i = 0; i < THREADS; i++) {
        news = news || from->times[i] > to->times[i];
        to->times[i] = from->times[i] > to->times[i] ? from->times[i] : to->times[i];
    }
    return news;
}

static void start(struct machine *machine, unsigned thread, struct lge_thread *parent) {
    struct random_thread *started = &machine->threads[thread];
    started->engine = lge_thread_new(parent, 0, 0);
    lge_thread_begin(started->engine, 100 + thread, 0);
    started->serial = lge_thread_serial(started->engine);
}

static struct lge_request request_for(const struct machine *machine, const struct random_step *step) {
    uintptr_t frame = 0x5000 + 32 * step->object + 16 * step->shared;
    struct lge_request request = {
        .address = &machine->ids[step->object], .id = machine->ids[step->object], .site = frame};
    request.context = lge_context_intern(&frame, 1, false);
    request.mode = step->shared ? LGR_SHARED : LGR_EXCLUSIVE;
    request.kind = machine->rwlocks ? LGR_LOCK_RWLOCK : LGR_LOCK_MUTEX;
    return request;
}

/* A cycle graded below feasible runs through an edge of this dependency. */
static bool watched(const struct machine *machine, const struct dependency *dependency) {
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        const struct seen_finding *finding = &machine->seen.findings.at[i];
        for (size_t j = 0; finding->head.verdict != LGR_VERDICT_FEASIBLE && j < finding->edges.count; j++) {
            const struct lge_finding_edge *edge = &finding->edges.at[j];
            for (unsigned from = 0; from < MUTEXES; from++) {
                if ((dependency->held & 1u << from) && edge->from == machine->ids[from] &&
                    edge->to == machine->ids[dependency->request]) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool repeats(const struct machine *machine, const struct dependency *dependency) {
    for (const struct dependency *old = machine->dependencies; old < dependency; old++) {
        if (old->thread == dependency->thread && old->request == dependency->request &&
            old->shared == dependency->shared && old->stack == dependency->stack &&
            old->generation == dependency->generation) {
            return true;
        }
    }
    return false;
}

static void depend(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (self->held == 0) {
        return;
    }
    self->clock.times[step->thread]++;
    struct dependency *dependency = &machine->dependencies[machine->dependency_count++];
    dependency->thread = step->thread;
    dependency->request = step->object;
    dependency->shared = step->shared;
    dependency->held = self->held;
    dependency->owned = self->owned;
    dependency->stack = self->stack;
    dependency->generation = self->generation;
    dependency->clock = self->clock;
    dependency->traceless = repeats(machine, dependency) && !watched(machine, dependency);
}

/* Nobody ever waits here, and nobody takes a lock twice. */
static bool is_free(const struct machine *machine, const struct random_step *step) {
    for (size_t i = 0; i < THREADS; i++) {
        const struct random_thread *other = &machine->threads[i];
        unsigned hinders = step->shared && i != step->thread ? other->owned : other->held;
        if (hinders & 1u << step->object) {
            return false;
        }
    }
    return true;
}

static bool lock_mutex(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (!is_free(machine, step)) {
        return false;
    }
    struct lge_request request = request_for(machine, step);
    if (step->kind == RANDOM_LOCK) {
        depend(machine, step);
        lge_check(self->engine, &request);
    }
    lge_acquired(self->engine, &request);
    self->held |= 1u << step->object;
    self->owned |= step->shared ? 0 : 1u << step->object;
    self->stack = self->stack << 4 | (2 * step->object + step->shared + 1);
    return true;
}

/* The stack without a lock, in either mode. */
static uint64_t without(uint64_t stack, unsigned lock) {
    uint64_t newer = 0;
    for (unsigned shift = 0; stack >> shift; shift += 4) {
        if (((stack >> shift & 15) - 1) / 2 == lock) {
            return stack >> shift >> 4 << shift | newer;
        }
        newer |= stack & (uint64_t)15 << shift;
    }
    return stack;
}

static bool unlock_mutex(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (!(self->held & 1u << step->object)) {
        return false;
    }
    lge_released(self->engine, &machine->ids[step->object]);
    self->held &= ~(1u << step->object);
    self->owned &= ~(1u << step->object);
    self->stack = without(self->stack, step->object);
    return true;
}

static bool post(struct machine *machine, const struct random_step *step) {
    machine->posted[step->object]++;
    learn(&machine->flowed[step->object], &machine->threads[step->thread].clock);
    lge_sync_release(machine->threads[step->thread].engine, machine->syncs[step->object]);
    return true;
}

static bool wait(struct machine *machine, const struct random_step *step) {
    if (machine->posted[step->object] == 0) {
        return false;
    }
    machine->posted[step->object]--;
    learn(&machine->threads[step->thread].clock, &machine->flowed[step->object]);
    lge_sync_acquire(machine->threads[step->thread].engine, machine->syncs[step->object],
                     LGR_REASON_SEMAPHORE);
    return true;
}

static bool create(struct machine *machine, const struct random_step *step) {
    struct random_thread *child = &machine->threads[step->object];
    if (child->engine || child->ended) {
        return false;
    }
    child->clock = machine->threads[step->thread].clock;
    machine->threads[step->thread].generation++;
    start(machine, step->object, machine->threads[step->thread].engine);
    return true;
}

static bool join(struct machine *machine, const struct random_step *step) {
    struct random_thread *target = &machine->threads[step->object];
    if (!target->engine || target->ended || target->held || step->object == step->thread) {
        return false;
    }
    target->ended = true;
    if (learn(&machine->threads[step->thread].clock, &target->clock)) {
        machine->threads[step->thread].generation++;
    }
    lge_thread_end(target->engine);
    lge_thread_joined(machine->threads[step->thread].engine, target->engine);
    target->engine = NULL;
    return true;
}

/* False when the step is not possible now: nothing happened. */
static bool execute(struct machine *machine, const struct random_step *step) {
    if (!machine->threads[step->thread].engine) {
        return false;
    }
    switch (step->kind) {
    case RANDOM_LOCK:
    case RANDOM_TRY:
        return lock_mutex(machine, step);
    case RANDOM_UNLOCK:
        return unlock_mutex(machine, step);
    case RANDOM_POST:
        return post(machine, step);
    case RANDOM_WAIT:
        return wait(machine, step);
    case RANDOM_CREATE:
        return create(machine, step);
    case RANDOM_JOIN:
        return join(machine, step);
    }
    return false;
}

static void machine_begin(struct machine *machine, const struct program *program) {
    static const char *const names[MUTEXES] = {"A", "B", "C", "D", "E"};
    memset(machine, 0, sizeof *machine);
    struct lge_config config = {
        .search_budget = 1u << 20, .stack_depth = 4, .on_finding = seen_take, .user = &machine->seen};
    lge_start(&config);
    machine->rwlocks = program->rwlocks;
    for (unsigned i = 0; i < program->first_threads; i++) {
        start(machine, i, NULL);
    }
    for (unsigned i = 0; i < MUTEXES; i++) {
        machine->ids[i] = lge_lock_id_new(machine->threads[0].engine, lge_class_named(names[i]));
    }
    for (unsigned i = 0; i < SIGNALS; i++) {
        machine->syncs[i] = lge_sync_new();
    }
}

static void machine_end(struct machine *machine) {
    for (unsigned i = 0; i < SIGNALS; i++) {
        lge_sync_free(machine->syncs[i]);
    }
    seen_clear(&machine->seen);
    lge_reset();
}

/* ---- the oracle ---- */

static bool before(const struct dependency *one, const struct dependency *other) {
    return other->clock.times[one->thread] >= one->clock.times[one->thread];
}

/* Whether both threads can stand at their requests at one time. */
static bool together(const struct dependency *one, const struct dependency *other) {
    bool gate = (one->held & other->held & (one->owned | other->owned)) != 0;
    return one->thread != other->thread && one->request != other->request && !gate && !before(one, other) &&
           !before(other, one);
}

/* Whether the request of one waits for what the other holds. */
static bool waits(const struct dependency *one, const struct dependency *other) {
    return ((one->shared ? other->owned : other->held) & 1u << one->request) != 0;
}

/* What a ring is compared with; called with its parts in order. */
typedef bool ring_test(const struct machine *machine, const struct dependency *const *ring, size_t length,
                       const void *user);

/* Extends the ring so far in every way; true when `test` held for a whole one. */
static bool extend(const struct machine *machine, const struct dependency **ring, size_t length,
                   ring_test *test, const void *user) {
    if (length > 1 && waits(ring[length - 1], ring[0]) && test(machine, ring, length, user)) {
        return true;
    }
    for (size_t i = 0; length < LIVE + 4 && i < machine->dependency_count; i++) {
        const struct dependency *next = &machine->dependencies[i];
        bool fits = length == 0 || waits(ring[length - 1], next);
        for (size_t j = 0; fits && j < length; j++) {
            fits = together(ring[j], next);
        }
        ring[length] = next;
        if (fits && extend(machine, ring, length + 1, test, user)) {
            return true;
        }
    }
    return false;
}

static bool any_ring(const struct machine *machine, ring_test *test, const void *user) {
    const struct dependency *ring[THREADS + 1];
    return extend(machine, ring, 0, test, user);
}

static bool is_feasible(const struct seen_finding *finding) {
    return finding->head.kind == LGR_KIND_ORDER_CYCLE && finding->head.verdict == LGR_VERDICT_FEASIBLE;
}

/* The ring has exactly the finding's requests and threads, from edge 0 on. */
static bool is_finding(const struct machine *machine, const struct dependency *const *ring, size_t length,
                       const void *user) {
    const struct seen_finding *finding = user;
    if (length != finding->edges.count) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const struct lge_finding_edge *edge = &finding->edges.at[i];
        if (machine->ids[ring[i]->request] != edge->to ||
            machine->threads[ring[i]->thread].serial != edge->thread) {
            return false;
        }
    }
    return true;
}

static bool reported_edge(const struct machine *machine, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        const struct seen_finding *finding = &machine->seen.findings.at[i];
        for (size_t j = 0; is_feasible(finding) && j < finding->edges.count; j++) {
            if (finding->edges.at[j].from == from && finding->edges.at[j].to == to) {
                return true;
            }
        }
    }
    return false;
}

static bool is_missed(const struct machine *machine, const struct dependency *const *ring, size_t length,
                      const void *user) {
    (void)user;
    for (size_t i = 0; i < length; i++) {
        if (ring[i]->traceless) {
            return false;
        }
        unsigned from = ring[(i + length - 1) % length]->request;
        if (reported_edge(machine, machine->ids[from], machine->ids[ring[i]->request])) {
            return false;
        }
    }
    return true;
}

static bool is_ring(const struct machine *machine, const struct dependency *const *ring, size_t length,
                    const void *user) {
    (void)machine, (void)ring, (void)length, (void)user;
    return true;
}

enum outcome { AGREE_NONE, AGREE_FEASIBLE, UNSOUND, INCOMPLETE, BROKEN };

static enum outcome compare(const struct machine *machine) {
    if (machine->seen.error[0] != '\0') {
        return BROKEN;
    }
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        const struct seen_finding *finding = &machine->seen.findings.at[i];
        if (is_feasible(finding) && !any_ring(machine, is_finding, finding)) {
            return UNSOUND;
        }
    }
    if (any_ring(machine, is_missed, NULL)) {
        return INCOMPLETE;
    }
    return any_ring(machine, is_ring, NULL) ? AGREE_FEASIBLE : AGREE_NONE;
}

static enum outcome run_program(const struct program *program, char *error, size_t size) {
    struct machine machine;
    machine_begin(&machine, program);
    for (size_t i = 0; i < program->count; i++) {
        execute(&machine, &program->steps[i]);
    }
    lge_finish();
    enum outcome outcome = compare(&machine);
    snprintf(error, size, "%s", machine.seen.error);
    machine_end(&machine);
    return outcome;
}

/* ---- making programs ---- */

static unsigned live_threads(const struct machine *machine) {
    unsigned live = 0;
    for (size_t i = 0; i < THREADS; i++) {
        live += machine->threads[i].engine != NULL;
    }
    return live;
}

/* Mostly nesting; a thread that holds much lets go, newest first as a rule. */
static struct random_step propose(const struct machine *machine, unsigned mutexes, bool ordering) {
    struct random_step step = {.thread = below(THREADS)};
    unsigned held = machine->threads[step.thread].held;
    unsigned dice = below(100);
    step.object = below(mutexes);
    step.kind = dice < 8 ? RANDOM_TRY : RANDOM_LOCK;
    step.shared = machine->rwlocks && below(2) == 0;
    if (held && dice >= 55 - 12 * (unsigned)(3 - __builtin_popcount(held) > 0)) {
        step.kind = RANDOM_UNLOCK;
    } else if (ordering && dice >= 90) {
        static const enum random_kind kinds[] = {RANDOM_POST, RANDOM_WAIT, RANDOM_CREATE, RANDOM_JOIN};
        step.kind = kinds[below(4)];
        step.object = below(step.kind == RANDOM_POST || step.kind == RANDOM_WAIT ? SIGNALS : THREADS);
    }
    return step;
}

static void make_program(struct program *program) {
    struct machine machine;
    unsigned mutexes = 2 + below(MUTEXES - 1), wanted = 8 + below(STEPS - 8);
    bool ordering = below(2) == 0;
    program->first_threads = ordering ? 1 + below(3) : 2 + below(LIVE - 1);
    program->rwlocks = below(3) == 0;
    program->count = 0;
    machine_begin(&machine, program);
    for (unsigned attempts = 0; attempts < 4000 && program->count < wanted; attempts++) {
        struct random_step step = propose(&machine, mutexes, ordering);
        if (step.kind == RANDOM_CREATE && live_threads(&machine) >= LIVE) {
            continue;
        }
        if (execute(&machine, &step)) {
            program->steps[program->count++] = step;
        }
    }
    machine_end(&machine);
}

/* ---- telling ---- */

static void print_step(const struct random_step *step, bool rwlocks) {
    static const char *const words[] = {"lock", "trylock", "unlock", "post", "wait", "create", "join"};
    printf("    T%u: ", step->thread + 1);
    switch (step->kind) {
    case RANDOM_LOCK:
    case RANDOM_TRY:
        printf("%s%s%s %c\n", step->kind == RANDOM_TRY ? "try" : "",
               step->shared ? "rd"
               : rwlocks    ? "wr"
                            : "",
               "lock", 'A' + (int)step->object);
        break;
    case RANDOM_UNLOCK:
        printf("unlock %c\n", 'A' + (int)step->object);
        break;
    case RANDOM_POST:
    case RANDOM_WAIT:
        printf("%s S%u\n", words[step->kind], step->object + 1);
        break;
    case RANDOM_CREATE:
    case RANDOM_JOIN:
        printf("%s T%u\n", words[step->kind], step->object + 1);
        break;
    }
}

/* Leaves out every step that the failure does not need. */
static void shrink(struct program *program, enum outcome outcome) {
    char error[256];
    for (size_t i = program->count; i-- > 0;) {
        struct program smaller = *program;
        smaller.count--;
        memmove(smaller.steps + i, smaller.steps + i + 1, (smaller.count - i) * sizeof *smaller.steps);
        if (run_program(&smaller, error, sizeof error) == outcome) {
            *program = smaller;
            i = program->count;
        }
    }
}

static void tell(struct program *program, enum outcome outcome, uint64_t seed, const char *error) {
    static const char *const faults[] = {[UNSOUND] = "a feasible cycle is reported that is none",
                                         [INCOMPLETE] = "a feasible cycle is not reported",
                                         [BROKEN] = "the engine broke a promise"};
    printf("FAIL oracle: %s %s (seed %#llx)\n", faults[outcome], error, (unsigned long long)seed);
    shrink(program, outcome);
    for (size_t i = 0; i < program->count; i++) {
        print_step(&program->steps[i], program->rwlocks);
    }
}

int oracle_main(size_t count, uint64_t seed) {
    size_t failed = 0, feasible = 0;
    char error[256];
    bool single = seed != 0;
    for (size_t i = 0; i < (single ? 1 : count); i++) {
        struct program program;
        uint64_t own = single ? seed : (DEFAULT_SEED + i) * 0x9e3779b97f4a7c15u;
        random_state = own;
        make_program(&program);
        enum outcome outcome = run_program(&program, error, sizeof error);
        feasible += outcome == AGREE_FEASIBLE;
        if (outcome >= UNSOUND && failed++ < 10) {
            tell(&program, outcome, own, error);
        }
    }
    printf("oracle: %zu programs, %zu with a feasible cycle\n", count, feasible);
    if (!single && (feasible * 10 < count || feasible * 10 > count * 9)) {
        printf("FAIL oracle: the programs are too one-sided to show anything\n");
        failed++;
    }
    printf("%zu passed, %zu failed\n", (single ? 1 : count) - failed, failed);
    return failed > 0;
}
