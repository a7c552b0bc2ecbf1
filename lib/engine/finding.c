#include "engine/finding.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "engine/context.h"
#include "engine/evidence.h"
#include "engine/lock_class.h"
#include "engine/map.h"
#include "engine/misuse.h"
#include "engine/mix.h"
#include "engine/resting.h"
#include "platform/memory.h"

struct problem {
    uint32_t number;
    enum lgr_kind kind;
    enum lgr_verdict verdict;
    enum lgr_severity severity;
    _Atomic uint64_t *count; /* in the evidence file, or NULL */
    struct lge_sightings sightings;
};

static struct lge_config config;
static struct {
    struct lge_map problems; /* by what makes the problem the same */
    uint32_t numbers;
    uint64_t errors;
    _Atomic uint32_t resting; /* judgements that left sightings, or are under way; relaxed: spares the look */
    struct lge_finding_edge *edges; /* of the report being made */
    size_t room;
} findings;

void lge_findings_start(const struct lge_config *wanted) { config = *wanted; }
uint64_t lge_findings_count(void) { return findings.numbers; }
uint64_t lge_findings_errors(void) { return findings.errors; }

static bool guessed(uint32_t class_id) {
    const struct lge_class *class = lge_class_get(class_id);
    return class == NULL || class->kind == LGR_CLASS_GUESS;
}

static uint64_t site_of(uint32_t context_id) {
    const struct lge_context *context = lge_context_get(context_id);
    return context == NULL ? 0 : context->frames[0];
}

/* The sum over the edges is the same for every rotation of a ring.  Where the
 * classes do not tell roles apart, the call sites do. */
static uint64_t identity(const struct lge_finding_edge *edges, size_t count) {
    bool sites = false;
    for (size_t i = 0; i < count; i++)
        sites = sites || edges[i].from_class == edges[i].to_class || guessed(edges[i].from_class);
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t edge = lge_mix(edges[i].from_class, edges[i].to_class);
        if (sites)
            edge = lge_mix(edge, lge_mix(count == 1 ? 0 : site_of(edges[i].held_context),
                                         site_of(edges[i].request_context)));
        sum += edge;
    }
    return sum;
}

static enum lgr_severity default_severity(enum lgr_verdict verdict) {
    if (verdict >= LGR_VERDICT_FEASIBLE)
        return LGR_ERROR;
    return verdict >= LGR_VERDICT_ACROSS_RUNS ? LGR_WARNING : LGR_NOTE;
}

enum { SEVERITY_OFF = 255 };

/* The option check.<kind>: off silences it, a severity caps it (what was
 * graded lower stays lower). */
static bool graded(struct lge_finding *finding) {
    uint8_t wanted = config.severity_of_kind[finding->kind];
    if (finding->severity == 0)
        finding->severity = default_severity(finding->verdict);
    if (wanted == SEVERITY_OFF)
        return false;
    if (wanted != 0 && (finding->kind != LGR_KIND_ORDER_CYCLE || finding->severity == LGR_ERROR))
        finding->severity = (enum lgr_severity)wanted;
    return true;
}

static void seen_again(const struct problem *problem) {
    if (problem->count != NULL)
        atomic_fetch_add_explicit(problem->count, 1, memory_order_relaxed);
}

static struct problem *new_problem(uint64_t key) {
    struct problem *problem = lgp_alloc(sizeof *problem);
    if (problem == NULL)
        return NULL;
    if (!lge_map_add(&findings.problems, key, problem)) {
        lgp_free(problem, sizeof *problem);
        return NULL;
    }
    problem->number = ++findings.numbers;
    return problem;
}

/* `more`: sightings that its record does not count yet. */
static void record(struct problem *problem, struct lge_finding *finding, uint64_t more) {
    uint64_t count = more;
    if (problem->count != NULL)
        count += atomic_load_explicit(problem->count, memory_order_relaxed);
    findings.errors += finding->severity == LGR_ERROR && problem->severity != LGR_ERROR;
    findings.errors -= finding->severity != LGR_ERROR && problem->severity == LGR_ERROR;
    problem->kind = finding->kind;
    problem->verdict = finding->verdict;
    problem->severity = finding->severity;
    finding->problem = problem->number;
    if (config.recording)
        problem->count = lge_evidence_finding(finding, count);
    finding->recorded = problem->count != NULL;
}

/* Whoever makes a signal of a semaphore either sees that somebody judges, and waits
 * for the graph lock, or had done it before we take the semaphores' lock, and we see
 * that. */
static void judging(void) { atomic_fetch_add_explicit(&findings.resting, 1, memory_order_relaxed); }

static void judged(const struct problem *problem) {
    if (problem == NULL || problem->sightings.count == 0)
        atomic_fetch_sub_explicit(&findings.resting, 1, memory_order_relaxed);
}

static void emit(struct problem *problem, struct lge_finding *finding) {
    record(problem, finding, 1);
    lge_sightings_tell(&problem->sightings, finding);
    if (config.on_finding != NULL)
        config.on_finding(finding, config.user);
}

/* What was told rests on a signal: the record shows another sighting that stands, or
 * becomes a note. */
static void lower(struct problem *problem, uint64_t semaphore) {
    struct lge_finding *told = lge_sightings_fall(&problem->sightings, semaphore);
    if (told == NULL)
        return;
    bool stands = problem->sightings.count != 0;
    if (!stands)
        lge_resting_lower(told);
    record(problem, stands ? problem->sightings.of[0] : told, problem->count == NULL);
    lge_resting_free(told);
}

void lge_findings_lower(uint64_t semaphore) {
    if (atomic_load_explicit(&findings.resting, memory_order_relaxed) == 0)
        return;
    lge_graph_lock();
    for (size_t i = 0; i < findings.problems.capacity; i++)
        if (findings.problems.slots[i].value != NULL)
            lower(findings.problems.slots[i].value, semaphore);
    lge_graph_unlock();
}

/* Readers that all ask to write what they read. */
static bool of_upgrades(const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].from != finding->edges[i].to)
            return false;
    return true;
}

/* The first of them was told of alone: the same problem, with more to tell. */
static struct problem *find_upgrade(const struct lge_finding *finding) {
    if (finding->kind != LGR_KIND_DEADLOCK || !of_upgrades(finding))
        return NULL;
    for (size_t i = 0; i < finding->edge_count; i++) {
        struct problem *alone = lge_map_get(&findings.problems, identity(&finding->edges[i], 1));
        if (alone != NULL)
            return alone;
    }
    return NULL;
}

static struct problem *find_problem(const struct lge_finding *finding, uint64_t key) {
    struct problem *problem = lge_map_get(&findings.problems, key);
    return problem != NULL ? problem : find_upgrade(finding);
}

static bool tells_no_more(const struct problem *problem, const struct lge_finding *finding) {
    bool second = problem->kind == LGR_KIND_SELF_DEADLOCK && finding->kind == LGR_KIND_DEADLOCK;
    return problem->verdict >= finding->verdict && !second;
}

/* The problem that it is of; NULL: a new one that is not told.  The class graph sees
 * every inversion of instances once more. */
static struct problem *judge(struct lge_finding *finding, bool of_classes) {
    bool wanted = graded(finding);
    if (lge_resting_fell(finding))
        lge_resting_lower(finding);
    uint64_t key = identity(finding->edges, finding->edge_count);
    struct problem *problem = find_problem(finding, key);
    if (problem != NULL && tells_no_more(problem, finding)) {
        if (!of_classes)
            seen_again(problem);
        if (wanted)
            lge_sightings_add(&problem->sightings, finding);
        return problem;
    }
    if (!wanted)
        return problem;
    if (problem == NULL)
        problem = new_problem(key);
    if (problem != NULL)
        emit(problem, finding);
    return problem;
}

static void report(struct lge_finding *finding, bool of_classes) {
    judging();
    judged(judge(finding, of_classes));
}

bool lge_kind_wanted(enum lgr_kind kind) { return config.severity_of_kind[kind] != SEVERITY_OFF; }

/* check.<kind>=severity replaces the kind's default; a case that is less grave
 * than that stays so. */
static enum lgr_severity severity_of_misuse(const struct lge_finding *finding) {
    enum lgr_severity usual = lge_kind_severity(finding->kind), severity = finding->severity;
    enum lgr_severity wanted = (enum lgr_severity)config.severity_of_kind[finding->kind];
    if (severity == 0)
        severity = usual;
    if (wanted == 0 || (severity < usual && severity < wanted))
        return severity;
    return wanted;
}

enum lgr_severity lge_severity_of(enum lgr_kind kind) {
    return severity_of_misuse(&(struct lge_finding){.kind = kind});
}

static struct problem *judge_misuse(struct lge_finding *finding, uint64_t key) {
    struct problem *problem = lge_map_get(&findings.problems, key);
    if (problem != NULL && problem->severity >= finding->severity) {
        seen_again(problem);
        lge_sightings_add(&problem->sightings, finding);
        return problem;
    }
    if (problem == NULL)
        problem = new_problem(key);
    if (problem != NULL)
        emit(problem, finding);
    return problem;
}

void lge_report_misuse_finding(struct lge_finding *finding, uint64_t key) {
    if (!lge_kind_wanted(finding->kind))
        return;
    finding->severity = severity_of_misuse(finding);
    judging();
    judged(judge_misuse(finding, key));
}

static bool reserve(size_t count) {
    if (count <= findings.room)
        return true;
    struct lge_finding_edge *edges =
        lgp_resize(findings.edges, findings.room * sizeof *edges, count * 2 * sizeof *edges);
    if (edges == NULL)
        return false;
    findings.edges = edges;
    findings.room = count * 2;
    return true;
}

/* The instance that a dependency holds. */
static uint64_t instance(const struct lge_node *node, const struct lge_dependency *holder) {
    const struct lgr_held *held = lge_dependency_hold(holder, lge_node_number(node), node->is_class);
    return held == NULL ? 0 : held->lock;
}

/* In the class graph, where the dependency stands for several requests and was
 * made for one of another class, the next edge's instance is shown. */
static uint64_t requested(const struct lge_node *node, const struct lge_dependency *dependency,
                          const struct lge_dependency *next) {
    if (node->is_class && lge_lock_class(dependency->requested) == lge_node_number(node))
        return dependency->requested;
    return instance(node, next);
}

static void describe(struct lge_finding_edge *edge, const struct lge_cycle *cycle, size_t i) {
    const struct lge_step *step = &cycle->steps[i];
    const struct lge_dependency *next = cycle->steps[(i + 1) % cycle->length].dependency;
    const struct lge_dependency *dependency = step->dependency;
    const struct lge_node *from = step->edge->from, *to = step->edge->to;
    const struct lgr_held *held = lge_dependency_hold(dependency, lge_node_number(from), from->is_class);
    *edge = (struct lge_finding_edge){
        .from = instance(from, dependency),
        .to = requested(to, dependency, next),
        .thread = dependency->thread,
        .held_context = held->context,
        .request_context = dependency->context,
        .mode_from = (uint8_t)held->mode,
        .mode_to = dependency->mode,
        .timed = (dependency->flags & LGE_TIMED) != 0,
        .wait_kind = LGR_WAIT_LOCK,
        .held_count = dependency->held_count,
        .held = dependency->held,
    };
    edge->from_class = lge_lock_class(edge->from);
    edge->to_class = lge_lock_class(edge->to);
}

/* The call that initialises the locks of a class; 0: nothing tells it by that. */
static uint64_t initialiser(uint32_t class_id) {
    const struct lge_class *class = lge_class_get(class_id);
    return class == NULL || class->kind == LGR_CLASS_GUESS || class->context == 0 ? 0
                                                                                  : site_of(class->context);
}

/* One function makes all these locks, called from several places: that they play
 * different roles is as likely as that they are the nodes of one structure, which
 * are taken in an order that classes do not show. */
static bool of_one_initialiser(const struct lge_finding *finding) {
    uint64_t first = initialiser(finding->edges[0].from_class);
    for (size_t i = 1; i < finding->edge_count; i++)
        if (initialiser(finding->edges[i].from_class) != first)
            return false;
    return first != 0;
}

/* Classes that invert without the same instances are a pattern, and where a
 * class was guessed, or all are of one make, no more than a note. */
static void as_class_pattern(struct lge_finding *finding) {
    finding->verdict = LGR_VERDICT_CLASS_PATTERN;
    if (of_one_initialiser(finding))
        finding->severity = LGR_NOTE;
    for (size_t i = 0; i < finding->edge_count; i++) {
        if (!guessed(finding->edges[i].from_class))
            continue;
        finding->severity = LGR_NOTE;
        finding->reason_kind = LGR_REASON_GUESSED_CLASS;
        finding->reason_id = finding->edges[i].from_class;
    }
}

void lge_report_cycle(const struct lge_cycle *cycle) {
    if (!reserve(cycle->length))
        return;
    for (size_t i = 0; i < cycle->length; i++)
        describe(&findings.edges[i], cycle, i);
    struct lge_finding finding = {
        .kind = LGR_KIND_ORDER_CYCLE,
        .verdict = cycle->verdict,
        .reason_kind = cycle->reason_kind,
        .reason_id = cycle->reason_id,
        .timed = cycle->verdict == LGR_VERDICT_TIMED,
        .edge_count = cycle->length,
        .edges = findings.edges,
    };
    bool of_classes = cycle->steps[0].edge->from->is_class;
    if (of_classes)
        as_class_pattern(&finding);
    report(&finding, of_classes);
}

void lge_report_reread(const struct lge_reread *reread) {
    const struct lge_dependency *reader = reread->reader;
    const struct lgr_held *held = lge_dependency_hold(reader, reread->lock, false);
    uint32_t class = lge_lock_class(reread->lock);
    struct lge_finding_edge edge = {
        .from = reread->lock,
        .to = reread->lock,
        .from_class = class,
        .to_class = class,
        .thread = reader->thread,
        .held_context = held->context,
        .request_context = reader->context,
        .mode_from = (uint8_t)held->mode,
        .mode_to = reader->mode,
        .timed = (reader->flags & LGE_TIMED) != 0,
        .wait_kind = LGR_WAIT_LOCK,
        .held_count = reader->held_count,
        .held = reader->held,
    };
    struct lge_finding finding = {
        .kind = LGR_KIND_ORDER_CYCLE,
        .verdict = reread->verdict,
        .reason_kind = reread->reason_kind,
        .reason_id = reread->reason_id,
        .timed = reread->verdict == LGR_VERDICT_TIMED,
        .edge_count = 1,
        .edges = &edge,
    };
    report(&finding, false);
}

bool lge_report_deadlock(const struct lge_finding_edge *edges, size_t count, bool timed, uint32_t queue) {
    struct lge_finding finding = {
        .kind =
            count == 1 && edges[0].wait_kind == LGR_WAIT_LOCK ? LGR_KIND_SELF_DEADLOCK : LGR_KIND_DEADLOCK,
        .verdict = LGR_VERDICT_ACTUAL,
        .timed = timed,
        .reason_kind = queue != 0 ? LGR_REASON_QUEUE : LGR_REASON_NONE,
        .reason_id = queue,
        .edge_count = count,
        .edges = edges,
    };
    report(&finding, false);
    return finding.verdict == LGR_VERDICT_ACTUAL;
}

void lge_report_stall(const struct lge_finding_edge *edges, size_t count) {
    struct lge_finding finding = {
        .kind = LGR_KIND_STALL, .verdict = LGR_VERDICT_ACTUAL, .edge_count = count, .edges = edges};
    report(&finding, false);
}

void lge_findings_reset(void) {
    for (size_t i = 0; i < findings.problems.capacity; i++) {
        struct problem *problem = findings.problems.slots[i].value;
        if (problem != NULL)
            lge_sightings_clear(&problem->sightings);
        lgp_free(problem, sizeof *problem);
    }
    lge_map_clear(&findings.problems);
    lgp_free(findings.edges, findings.room * sizeof *findings.edges);
    findings.edges = NULL;
    findings.room = 0;
    findings.numbers = 0;
    findings.errors = 0;
    atomic_store_explicit(&findings.resting, 0, memory_order_relaxed);
}

struct lgp_part lge_findings_part(void) {
    return (struct lgp_part){NULL, &findings, sizeof findings};
}
