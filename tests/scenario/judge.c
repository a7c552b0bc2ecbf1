/* Compares what a run ended with to what its case expects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

/* ---- a finding as names ---- */

static const char *edge_lock(const struct world *world, const struct seen_finding *finding, size_t edge) {
    const struct lge_finding_edge *before =
        &finding->edges.at[(edge + finding->edges.count - 1) % finding->edges.count];
    if (before->wait_kind == LGR_WAIT_JOIN) {
        return world_thread_name(world, (uint32_t)before->to);
    }
    if (finding->edges.at[edge].from == 0) { /* whoever comes is waited for */
        return world_thread_name(world, finding->edges.at[edge].thread);
    }
    return world_lock_name(world, finding->edges.at[edge].from);
}

/* A ring between classes is named by its classes. */
static const char *edge_name(const struct world *world, const struct seen_finding *finding, size_t edge) {
    if (finding->head.verdict == LGR_VERDICT_CLASS_PATTERN) {
        return world_class_name(world, finding->edges.at[edge].from_class);
    }
    return edge_lock(world, finding, edge);
}

static const char *reason_name(const struct world *world, const struct lge_finding *head) {
    switch (head->reason_kind) {
    case LGR_REASON_GATE:
        return world_lock_name(world, head->reason_id);
    case LGR_REASON_CREATE:
    case LGR_REASON_JOIN:
    case LGR_REASON_THREAD:
    case LGR_REASON_QUEUE:
        return world_thread_name(world, (uint32_t)head->reason_id);
    default:
        return "";
    }
}

static const char *label_of(const struct world *world, uint32_t context) {
    for (size_t i = 0; i < world->scenario->labels.count; i++) {
        if (context && context == world_label_context(world, i + 1)) {
            return world->scenario->labels.at[i];
        }
    }
    return "-";
}

static void print_finding(const struct world *world, const struct seen_finding *finding) {
    printf("%s", kind_text(finding->head.kind));
    if (finding->head.kind == LGR_KIND_ORDER_CYCLE) {
        printf(" %s", verdict_text(finding->head.verdict));
    }
    for (size_t i = 0; i < finding->edges.count && finding->head.kind != LGR_KIND_STALL; i++) {
        printf(" %s", edge_name(world, finding, i));
    }
    printf(" by");
    for (size_t i = 0; i < finding->edges.count; i++) {
        printf(" %s", world_thread_name(world, finding->edges.at[i].thread));
    }
    if (finding->head.reason_kind != LGR_REASON_NONE) {
        printf(" reason %s %s", reason_text(finding->head.reason_kind), reason_name(world, &finding->head));
    }
    if (world->scenario->labels.count > 0) {
        printf(" contexts");
        for (size_t i = 0; i < finding->edges.count; i++) {
            printf(" %s>%s", label_of(world, finding->edges.at[i].held_context),
                   label_of(world, finding->edges.at[i].request_context));
        }
    }
}

/* ---- matching ---- */

static bool edge_matches(const struct world *world, const struct seen_finding *finding, size_t edge,
                         const struct expectation *expected, size_t place) {
    const struct lge_finding_edge *seen = &finding->edges.at[edge];
    if (strcmp(edge_name(world, finding, edge), expected->locks.at[place]) != 0) {
        return false;
    }
    if (expected->threads.count > 0 &&
        strcmp(world_thread_name(world, seen->thread), expected->threads.at[place]) != 0) {
        return false;
    }
    return expected->contexts.count == 0 ||
           (place < expected->contexts.count &&
            strcmp(label_of(world, seen->held_context), expected->contexts.at[place].held) == 0 &&
            strcmp(label_of(world, seen->request_context), expected->contexts.at[place].request) == 0);
}

static bool ring_matches(const struct world *world, const struct seen_finding *finding,
                         const struct expectation *expected) {
    size_t count = finding->edges.count;
    for (size_t turn = 0; turn < count; turn++) {
        size_t same = 0;
        while (same < count && edge_matches(world, finding, (turn + same) % count, expected, same)) {
            same++;
        }
        if (same == count) {
            return true;
        }
    }
    return false;
}

static bool named_in(const struct expectation *expected, const char *name) {
    for (size_t i = 0; i < expected->threads.count; i++) {
        if (strcmp(expected->threads.at[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Just those threads, in any order. */
static bool stall_matches(const struct world *world, const struct seen_finding *finding,
                          const struct expectation *expected) {
    size_t named = 0;
    for (size_t i = 0; i < finding->edges.count; i++) {
        named += named_in(expected, world_thread_name(world, finding->edges.at[i].thread));
    }
    return named == finding->edges.count && named == expected->threads.count;
}

/* level-violation WANTED HELD */
static bool level_matches(const struct world *world, const struct seen_finding *finding,
                          const struct expectation *expected) {
    const struct lge_finding_edge *call = &finding->edges.at[0];
    return expected->locks.count == 2 &&
           strcmp(world_lock_name(world, call->from), expected->locks.at[0]) == 0 &&
           strcmp(world_lock_name(world, call->to), expected->locks.at[1]) == 0 &&
           (expected->contexts.count == 0 ||
            (strcmp(label_of(world, call->held_context), expected->contexts.at[0].held) == 0 &&
             strcmp(label_of(world, call->request_context), expected->contexts.at[0].request) == 0));
}

static bool finding_matches(const struct world *world, const struct seen_finding *finding,
                            const struct expectation *expected) {
    if (expected->kind == EXPECT_FINDING && expected->finding == LGR_KIND_STALL) {
        return finding->head.kind == LGR_KIND_STALL && stall_matches(world, finding, expected);
    }
    if (expected->kind == EXPECT_FINDING && expected->finding == LGR_KIND_LEVEL_VIOLATION) {
        return finding->head.kind == expected->finding && level_matches(world, finding, expected);
    }
    if (expected->kind != EXPECT_FINDING || finding->head.kind != expected->finding ||
        finding->head.verdict != expected->verdict || finding->edges.count != expected->locks.count) {
        return false;
    }
    if (expected->has_reason && finding->head.reason_kind != expected->reason) {
        return false;
    }
    if (expected->reason_name && strcmp(expected->reason_name, reason_name(world, &finding->head)) != 0) {
        return false;
    }
    return ring_matches(world, finding, expected);
}

/* ---- one run ---- */

struct run {
    struct scenario *scenario;
    const struct world *world;
    const char *how;
    bool stuck;
    bool failed;
};

static bool applies(const struct run *run, const struct expectation *expected) {
    return expected->when == WHEN_ALWAYS || expected->when == WHEN_SOME ||
           (expected->when == WHEN_STUCK) == run->stuck;
}

static void failure(struct run *run) {
    if (!run->failed) {
        printf("FAIL %s:%d: %s%s%s\n", run->scenario->file, run->scenario->line, run->scenario->name,
               *run->how ? ", " : "", run->how);
    }
    run->failed = true;
}

static void missing(struct run *run, const struct expectation *expected) {
    failure(run);
    printf("    expected: %s  (%s:%d)\n", expected->text, run->scenario->file, expected->line);
}

static void unexpected(struct run *run, const struct seen_finding *finding) {
    failure(run);
    printf("         got: ");
    print_finding(run->world, finding);
    printf("\n");
}

/* Each expected finding once, and no other. */
static void judge_findings(struct run *run) {
    size_t count = run->world->seen.findings.count;
    bool *explained = calloc(count + 1, sizeof *explained);
    for (size_t i = 0; explained && i < run->scenario->expectations.count; i++) {
        struct expectation *expected = &run->scenario->expectations.at[i];
        if (expected->kind != EXPECT_FINDING || !applies(run, expected)) {
            continue;
        }
        size_t match = 0;
        while (match < count &&
               (explained[match] ||
                !finding_matches(run->world, &run->world->seen.findings.at[match], expected))) {
            match++;
        }
        explained[match] = true;
        expected->used = expected->used || match < count;
        if (match == count && expected->when != WHEN_SOME) {
            missing(run, expected);
        }
    }
    for (size_t i = 0; explained && i < count; i++) {
        const struct seen_finding *finding = &run->world->seen.findings.at[i];
        if (!explained[i] && finding->head.severity > run->scenario->tolerated) {
            unexpected(run, finding);
        }
    }
    free(explained);
}

static void judge_count(struct run *run, const struct expectation *expected) {
    if (run->world->seen.findings.count == expected->count) {
        return;
    }
    missing(run, expected);
    for (size_t i = 0; i < run->world->seen.findings.count; i++) {
        unexpected(run, &run->world->seen.findings.at[i]);
    }
}

static void judge_stuck_threads(struct run *run, const struct expectation *expected) {
    size_t stuck = 0, named = 0;
    for (size_t i = 0; i < run->scenario->threads.count; i++) {
        if (world_stuck(run->world, i)) {
            stuck++;
            named += named_in(expected, run->scenario->threads.at[i].name);
        }
    }
    if (stuck == 0 || (expected->threads.count > 0 && (named != stuck || named != expected->threads.count))) {
        missing(run, expected);
    }
}

/* A hang that no expectation speaks of is a mistake in the case, or a miss. */
static bool hang_expected(const struct run *run) {
    for (size_t i = 0; i < run->scenario->expectations.count; i++) {
        const struct expectation *expected = &run->scenario->expectations.at[i];
        bool deadlock = expected->kind == EXPECT_FINDING && expected->finding != LGR_KIND_ORDER_CYCLE;
        if (applies(run, expected) &&
            (deadlock || expected->kind == EXPECT_STUCK || expected->when == WHEN_STUCK)) {
            return true;
        }
    }
    return false;
}

static void judge_hang(struct run *run) {
    for (size_t i = 0; i < run->scenario->threads.count; i++) {
        const char *name = run->scenario->threads.at[i].name;
        if (!run->world->threads[i].started) {
            failure(run);
            printf("    %s was never created\n", name);
        } else if (!run->world->threads[i].ended && !hang_expected(run)) {
            failure(run);
            printf("    %s hangs at line %d\n", name,
                   run->world->threads[i].program.at[run->world->threads[i].next]->line);
        }
    }
}

static void judge_summaries(struct run *run) {
    for (size_t i = 0; i < run->scenario->expectations.count; i++) {
        struct expectation *expected = &run->scenario->expectations.at[i];
        if (!applies(run, expected) || expected->kind == EXPECT_FINDING) {
            continue;
        }
        expected->used = true;
        if (expected->kind == EXPECT_COUNT) {
            judge_count(run, expected);
        } else if (expected->kind == EXPECT_STUCK) {
            judge_stuck_threads(run, expected);
        }
    }
}

bool judge_run(struct scenario *scenario, const struct world *world, const char *how) {
    struct run run = {.scenario = scenario, .world = world, .how = how, .stuck = !world_all_done(world)};
    if (world->seen.error[0] != '\0') {
        failure(&run);
        printf("    %s\n", world->seen.error);
    }
    judge_findings(&run);
    judge_summaries(&run);
    judge_hang(&run);
    return !run.failed;
}

bool judge_all(const struct scenario *scenario) {
    bool good = true;
    for (size_t i = 0; i < scenario->expectations.count; i++) {
        const struct expectation *expected = &scenario->expectations.at[i];
        if (expected->when != WHEN_ALWAYS && !expected->used) {
            printf("FAIL %s:%d: %s\n    expected: %s, and no run had it  (%s:%d)\n", scenario->file,
                   scenario->line, scenario->name, expected->text, scenario->file, expected->line);
            good = false;
        }
    }
    return good;
}
