/* Random programs against an exhaustive oracle of the grading rule.
 *
 * A program is a list of steps of up to four live threads over up to five
 * mutexes (in every third program rwlocks), semaphores that order, creations
 * and joins, fed to the engine one after another; no step ever blocks.  The
 * oracle keeps every dependency (request, held set, thread, vector clock) and
 * searches all rings.  Required:
 *   sound     each feasible cycle reported is a ring of the oracle, by its own
 *             locks and threads;
 *   complete  each ring of the oracle shares an edge with a reported feasible
 *             cycle, so in particular one is reported when there is any.
 * One dependency is beyond the engine by design: a chain that its thread made
 * before, repeated after a post or wait while no cycle through it was known,
 * costs one compare and leaves no trace.  (Creation, and a join that brings
 * news, do make the thread look anew.)  Rings that need such a repeat are not
 * demanded; they may be reported.
 * A failing program is shrunk and printed in the scenario language. */
#include <stdio.h>
#include <string.h>

#include "oracle.h"

static enum outcome run_program(const struct program *program, char *error, size_t size) {
    struct machine machine;
    machine_begin(&machine, program);
    for (size_t i = 0; i < program->count; i++) {
        machine_execute(&machine, &program->steps[i]);
    }
    lge_finish();
    enum outcome outcome = oracle_compare(&machine);
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
    struct random_step step = {.thread = random_below(THREADS)};
    unsigned held = machine->threads[step.thread].held;
    unsigned dice = random_below(100);
    step.object = random_below(mutexes);
    step.kind = dice < 8 ? RANDOM_TRY : RANDOM_LOCK;
    step.shared = machine->rwlocks && random_below(2) == 0;
    if (held && dice >= 55 - 12 * (unsigned)(3 - __builtin_popcount(held) > 0)) {
        step.kind = RANDOM_UNLOCK;
    } else if (ordering && dice >= 90) {
        static const enum random_kind kinds[] = {RANDOM_POST, RANDOM_WAIT, RANDOM_CREATE, RANDOM_JOIN};
        step.kind = kinds[random_below(4)];
        step.object = random_below(step.kind == RANDOM_POST || step.kind == RANDOM_WAIT ? SIGNALS : THREADS);
    }
    return step;
}

static void make_program(struct program *program) {
    struct machine machine;
    unsigned mutexes = 2 + random_below(MUTEXES - 1), wanted = 8 + random_below(STEPS - 8);
    bool ordering = random_below(2) == 0;
    program->first_threads = ordering ? 1 + random_below(3) : 2 + random_below(LIVE - 1);
    program->rwlocks = random_below(3) == 0;
    program->count = 0;
    machine_begin(&machine, program);
    for (unsigned attempts = 0; attempts < 4000 && program->count < wanted; attempts++) {
        struct random_step step = propose(&machine, mutexes, ordering);
        if (step.kind == RANDOM_CREATE && live_threads(&machine) >= LIVE) {
            continue;
        }
        if (machine_execute(&machine, &step)) {
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
        uint64_t own = random_seed(seed, i);
        random_start(own);
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
