/* Random programs whose threads really wait for each other, each run under many
 * random schedules.  Required, from the simulation alone:
 *   a run that ends with hanging threads has named a deadlock, of threads that
 *   hang; a run in which all threads end has named none;
 *   a program that hangs under some schedule has an error predicted under every
 *   schedule in which it does not.
 * The programs only take and release locks, so that every complete run makes
 * the same requests.  A failing program is printed in the scenario language. */
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define SCHEDULES  60
#define MOST_LOCKS 4

struct outcome_of_schedules {
    bool hung, silent; /* some run hung; some run ended without a prediction */
    char error[256];
    uint64_t seed;
};

/* ---- programs ---- */

static const struct {
    const char *word, *option;
    bool shareable;
} declarations[] = {{"mutex", "", false},     {"mutex", "", false}, {"spin", "", false},
                    {"semaphore", "", false}, {"rwlock", "", true}, {"rwlock", " prefer-writer", true}};
enum { KINDS = sizeof declarations / sizeof *declarations };

static void write_lock(FILE *file, unsigned kind, unsigned lock) {
    const char *verb = !declarations[kind].shareable ? "lock" : random_below(2) == 0 ? "rdlock" : "wrlock";
    fprintf(file, " %s %c;", verb, 'A' + (int)lock);
}

/* Nested, now and then hand over hand; what is held at the end is released. */
static void write_thread(FILE *file, unsigned thread, const unsigned *kinds, unsigned locks) {
    unsigned held[MOST_LOCKS], depth = 0;
    fprintf(file, "T%u:", thread + 1);
    for (unsigned i = 0; i < 8 || depth > 0; i++) {
        unsigned lock = random_below(locks), used = 0;
        for (unsigned j = 0; j < depth; j++) {
            used |= 1u << held[j];
        }
        if (i < 8 && !(used & 1u << lock) && random_below(10) < 6) {
            write_lock(file, kinds[lock], lock);
            held[depth++] = lock;
        } else if (depth > 0) {
            unsigned victim = random_below(5) == 0 ? random_below(depth) : depth - 1;
            fprintf(file, " unlock %c;", 'A' + (int)held[victim]);
            memmove(held + victim, held + victim + 1, (--depth - victim) * sizeof *held);
        }
    }
    fprintf(file, "\n");
}

static void write_program(FILE *file) {
    unsigned kinds[MOST_LOCKS], locks = 2 + random_below(MOST_LOCKS - 1), threads = 2 + random_below(3);
    fprintf(file, "case random\n");
    for (unsigned i = 0; i < locks; i++) {
        kinds[i] = random_below(KINDS);
        fprintf(file, "%s %c%s\n", declarations[kinds[i]].word, 'A' + (int)i, declarations[kinds[i]].option);
    }
    for (unsigned i = 0; i < threads; i++) {
        write_thread(file, i, kinds, locks);
    }
    fprintf(file, "expect silence\n"); /* a case must expect something; not judged */
}

/* ---- runs ---- */

static bool step_any(struct world *world) {
    size_t runnable = 0, thread = 0, count = world->scenario->threads.count;
    for (size_t i = 0; i < count; i++) {
        runnable += world_runnable(world, i);
    }
    if (runnable == 0) {
        return false;
    }
    for (size_t left = random_below((unsigned)runnable); !world_runnable(world, thread) || left-- > 0;) {
        thread++;
    }
    world_step(world, thread);
    return true;
}

static void run_random_schedule(struct world *world) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        world->threads[i].available = world->threads[i].program.count;
    }
    while (step_any(world)) {
    }
}

static bool hangs(const struct world *world, uint32_t serial) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        if (world->threads[i].serial == serial) {
            return world_stuck(world, i);
        }
    }
    return false;
}

static void check_deadlock(struct world *world, const struct seen_finding *finding) {
    for (size_t i = 0; i < finding->edges.count; i++) {
        if (!hangs(world, finding->edges.at[i].thread)) {
            seen_error(&world->seen, "a deadlock names a thread that does not hang");
        }
    }
}

/* A cycle through a semaphore that looks like a switch is told as a note, which says
 * that it hangs unless its users count themselves. */
static bool predicts(const struct seen_finding *finding) {
    return finding->head.severity == LGR_ERROR || finding->head.reason_kind == LGR_REASON_SWITCH;
}

static void check_run(struct world *world, struct outcome_of_schedules *outcome) {
    bool named = false, predicted = false, done = world_all_done(world);
    for (size_t i = 0; i < world->seen.findings.count; i++) {
        const struct seen_finding *finding = &world->seen.findings.at[i];
        predicted = predicted || predicts(finding);
        if (finding->head.kind != LGR_KIND_ORDER_CYCLE) {
            named = true;
            check_deadlock(world, finding);
        }
    }
    if (named == done) {
        seen_error(&world->seen,
                   done ? "a deadlock is named, and nothing hangs" : "it hangs, and no deadlock is named");
    }
    outcome->hung = outcome->hung || !done;
    outcome->silent = outcome->silent || (done && !predicted);
}

static void take_program(struct scenario *scenario, void *user) {
    struct outcome_of_schedules *outcome = user;
    for (size_t i = 0; i < SCHEDULES && outcome->error[0] == '\0'; i++) {
        struct world world;
        world_begin(&world, scenario);
        run_random_schedule(&world);
        lge_finish();
        audit_findings(&world);
        check_run(&world, outcome);
        memcpy(outcome->error, world.seen.error, sizeof outcome->error);
        world_end(&world);
    }
    if (outcome->error[0] == '\0' && outcome->hung && outcome->silent) {
        snprintf(outcome->error, sizeof outcome->error,
                 "it can hang, and a run that did not predicts nothing");
    }
}

static struct outcome_of_schedules run_text(char *text, size_t length, uint64_t seed) {
    struct outcome_of_schedules outcome = {.seed = seed};
    FILE *file = fmemopen(text, length, "r");
    parse_stream(file, "random", take_program, &outcome);
    fclose(file);
    return outcome;
}

int hangs_main(size_t count, uint64_t seed) {
    size_t failed = 0, hung = 0;
    count = seed ? 1 : count;
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;
        size_t length = 0;
        random_start(random_seed(seed, i));
        FILE *file = open_memstream(&text, &length);
        write_program(file);
        fclose(file);
        struct outcome_of_schedules outcome = run_text(text, length, random_seed(seed, i));
        hung += outcome.hung;
        if (outcome.error[0] != '\0' && failed++ < 10) {
            printf("FAIL hangs: %s (seed %#llx)\n%s", outcome.error, (unsigned long long)outcome.seed, text);
        }
        free(text);
    }
    printf("hangs: %zu programs, %zu of them can hang\n", count, hung);
    if (!seed && (hung * 20 < count || hung == count)) {
        printf("FAIL hangs: the programs are too one-sided to show anything\n");
        failed++;
    }
    printf("%zu passed, %zu failed\n", count - failed, failed);
    return failed > 0;
}
