/* Random programs against an exhaustive oracle of the grading rule.
 *
 * A program is a list of steps of up to four live threads over up to six locks
 * (mutexes, spinlocks, semaphores used as locks, rwlocks of either preference),
 * semaphores and barriers that order, creations and joins, fed to the engine one
 * after another; no step ever blocks.  The oracle keeps every dependency
 * (request, held set, modes, thread, vector clock), and grades every cycle of
 * locks over all choices of one dependency an edge: the highest grade counts.
 * Required:
 *   sound     a reported cycle is one of the oracle, with locks, threads, modes
 *             and held sets of the evidence, graded no higher than by the rule,
 *             for a reason that is there;
 *   regraded  a reported cycle is graded no lower than by the rule;
 *   complete  each cycle of the oracle has an edge in common with a reported one
 *             that is graded at least as high, so in particular the highest
 *             grade there is is reported;
 *   in time   the same holds after every step (looked at for some programs);
 *   thorough  no search gave up.
 * Two things are beyond the engine by design.  A chain that its thread made
 * before and repeats after a post or wait, while none of its edges could be on a
 * cycle, costs one compare and leaves no trace (creation, and a join that brings
 * news, do make the thread look anew): cycles that need such a repeat may be
 * reported, and need not be.  And where a part of a cycle also holds a further
 * lock of it, so that some of the parts close a shorter cycle, the shorter one is
 * told.
 * A failing program is shrunk and printed in the scenario language. */
#include <stdio.h>
#include <string.h>

#include "oracle.h"

#define GRADES        (LGR_VERDICT_FEASIBLE + 1)
#define LEAST_PERCENT 3
#define AT_EVERY_STEP 4 /* of so many programs one */

struct result {
    enum outcome outcome;
    enum lgr_verdict worst;
    char error[256], expect[64];
};

static struct result run_program(const struct program *program, bool every_step) {
    struct machine machine;
    struct result result = {.outcome = AGREE};
    machine_begin(&machine, program);
    for (size_t i = 0; i < program->count && result.outcome == AGREE; i++) {
        machine_execute(&machine, &program->steps[i]);
        if (every_step) {
            result.outcome = oracle_compare(&machine, &result.worst);
        }
    }
    if (result.outcome == AGREE) {
        lge_finish();
        result.outcome = oracle_compare(&machine, &result.worst);
    }
    memcpy(result.error, machine.seen.error, sizeof result.error);
    memcpy(result.expect, machine.expect, sizeof result.expect);
    machine_end(&machine);
    return result;
}

/* Leaves out every step that the failure does not need. */
static void shrink(struct program *program, enum outcome outcome, bool every_step) {
    for (size_t i = program->count; i-- > 0;) {
        struct program smaller = *program;
        smaller.count--;
        memmove(smaller.steps + i, smaller.steps + i + 1, (smaller.count - i) * sizeof *smaller.steps);
        if (run_program(&smaller, every_step).outcome == outcome) {
            *program = smaller;
            i = program->count;
        }
    }
}

static void tell(struct program *program, const struct result *result, bool every_step, uint64_t seed) {
    static const char *const faults[] = {[UNSOUND] = "a report says more than the evidence",
                                         [INCOMPLETE] = "a cycle is not reported",
                                         [LOW] = "a reported cycle is worse than its grade",
                                         [EXHAUSTED] = "a search gave up",
                                         [BROKEN] = "the engine broke a promise"};
    printf("FAIL oracle: %s (seed %#llx)\n", faults[result->outcome], (unsigned long long)seed);
    shrink(program, result->outcome, every_step);
    struct result small = run_program(program, every_step);
    printf("# %s\n", small.error);
    program_print(program);
    printf("allow others\nexpect %s\n", small.expect);
}

static void print_grades(const size_t *grades) {
    for (size_t i = 0; i < GRADES; i++) {
        if (grades[i] > 0) {
            printf(", %zu %s", grades[i],
                   i == LGR_VERDICT_NONE ? "without a cycle" : verdict_text((enum lgr_verdict)i));
        }
    }
    printf("\n");
}

#define BIT(grade) (1u << LGR_VERDICT_##grade)

/* A grade that hardly ever comes up proves little. */
static bool one_sided(const size_t *grades, size_t count, unsigned wanted) {
    for (size_t i = 0; i < GRADES; i++) {
        if ((wanted & 1u << i) && grades[i] * 100 < count * LEAST_PERCENT) {
            printf("FAIL oracle: the programs are too one-sided to show anything\n");
            return true;
        }
    }
    return false;
}

static int run_all(void (*make)(struct program *), unsigned wanted, size_t count, uint64_t seed) {
    size_t failed = 0, grades[GRADES] = {0};
    count = seed ? 1 : count;
    for (size_t i = 0; i < count; i++) {
        struct program program;
        uint64_t own = random_seed(seed, i);
        random_start(own);
        make(&program);
        bool every_step = seed || i % AT_EVERY_STEP == 0;
        struct result result = run_program(&program, every_step);
        grades[result.worst]++;
        if (result.outcome != AGREE && failed++ < 10) {
            tell(&program, &result, every_step, own);
        }
    }
    printf("oracle: %zu programs", count);
    print_grades(grades);
    failed += !seed && one_sided(grades, count, wanted);
    printf("%zu passed, %zu failed\n", count - (failed < count ? failed : count), failed);
    return failed > 0;
}

int oracle_main(size_t count, uint64_t seed) {
    return run_all(program_of_any_kind, BIT(NONE) | BIT(FEASIBLE), count, seed);
}
int grades_main(size_t count, uint64_t seed) {
    return run_all(program_of_all_grades,
                   BIT(NONE) | BIT(SINGLE_THREAD) | BIT(GATED) | BIT(ORDERED) | BIT(TIMED) | BIT(FEASIBLE),
                   count, seed);
}
