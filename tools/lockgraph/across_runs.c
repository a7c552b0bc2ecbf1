#include "across_runs.h"

#include <stdlib.h>
#include <string.h>

#include "finding_id.h"
#include "graph_rings.h"
#include "kinds.h"
#include "model_findings.h"
#include "same_locks.h"

/* Sources are the processes of evidence, and those that merged files unite. */
struct origin {
    size_t pair, source;
};

/* Which sighting stands for a pair. */
struct choice {
    struct model_edge edge;
    struct model_process *process;
};

struct search {
    struct model *model;
    struct pair_graph graph;
    size_t origin_count;
    struct origin *origins;  /* by pair, then source */
    size_t *first_origin;    /* of each pair, and one more */
    struct choice **choices; /* by pair and modes; NULL: not made yet */
    struct same_locks *same;
    bool one_thread; /* no source had a second one */
    void (*add)(struct model *model, const struct model_finding *finding);
};

/* ---- which source saw which pair ---- */

static int compare_origins(const void *a, const void *b) {
    const struct origin *one = a, *other = b;
    if (one->pair != other->pair)
        return one->pair < other->pair ? -1 : 1;
    return one->source < other->source ? -1 : one->source > other->source;
}

static size_t sources_in(const struct model_process *process) {
    size_t merged = lgr_merged(process->file);
    return merged ? merged : 1;
}

static void add_origin(struct search *search, size_t from, size_t to, size_t source) {
    const struct graph_pair *pair = pair_graph_pair(&search->graph, from, to);
    if (pair)
        search->origins[search->origin_count++] =
            (struct origin){(size_t)(pair - search->graph.pairs), source};
}

static void add_seen(struct search *search, struct model_process *process, size_t base) {
    for (size_t i = 0; i < lgr_seen_count(process->file); i++) {
        const struct lgr_seen *seen = lgr_seen_at(process->file, i);
        const struct model_class *from = model_class_of(search->model, process, seen->from_class);
        const struct model_class *to = model_class_of(search->model, process, seen->to_class);
        if (from && to && seen->source)
            add_origin(search, pair_graph_node(&search->graph, from), pair_graph_node(&search->graph, to),
                       base + seen->source - 1);
    }
}

static void gather_origins(struct search *search) {
    struct model *model = search->model;
    size_t room = search->graph.sighting_count + 1, sources = 0;
    size_t *base = pool_array(&model->pool, model->process_count + 1, sizeof *base);
    for (size_t i = 0; i < model->process_count; i++)
        room += lgr_seen_count(model->processes[i].file);
    search->origins = pool_array(&model->pool, room, sizeof *search->origins);
    for (size_t i = 0; i < model->process_count; i++) {
        base[i] = sources;
        if (lgr_merged(model->processes[i].file))
            add_seen(search, &model->processes[i], sources);
        sources += sources_in(&model->processes[i]);
    }
    for (size_t i = 0; i < search->graph.sighting_count; i++) {
        const struct sighting *sighting = &search->graph.sightings[i];
        if (!lgr_merged(sighting->process->file))
            add_origin(search, sighting->from, sighting->to, base[sighting->process->index]);
    }
    if (search->origin_count)
        qsort(search->origins, search->origin_count, sizeof *search->origins, compare_origins);
    search->first_origin =
        pool_array(&model->pool, search->graph.pair_count + 1, sizeof *search->first_origin);
    for (size_t i = 0, pair = 0; pair <= search->graph.pair_count; pair++) {
        while (i < search->origin_count && search->origins[i].pair < pair)
            i++;
        search->first_origin[pair] = i;
    }
}

static size_t index_of(const struct search *search, const struct graph_pair *pair) {
    return (size_t)(pair - search->graph.pairs);
}

static bool saw(const struct search *search, size_t source, size_t pair) {
    struct origin key = {pair, source};
    size_t first = search->first_origin[pair], count = search->first_origin[pair + 1] - first;
    return count && bsearch(&key, search->origins + first, count, sizeof key, compare_origins);
}

/* One source saw all of the ring. */
static bool graded_before(const struct search *search, const struct ring *ring) {
    size_t pair = index_of(search, ring->pairs[0]);
    for (size_t i = search->first_origin[pair]; i < search->first_origin[pair + 1]; i++) {
        size_t seen = 1;
        while (seen < ring->length &&
               saw(search, search->origins[i].source, index_of(search, ring->pairs[seen])))
            seen++;
        if (seen == ring->length)
            return true;
    }
    return false;
}

static bool has_pair(const struct search *search, const struct model_finding *finding,
                     const struct graph_pair *pair) {
    const struct model_class *from = search->graph.classes[pair->from];
    const struct model_class *to = search->graph.classes[pair->to];
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        if (edge->from && edge->to && edge->from->class == from && edge->to->class == to)
            return true;
    }
    return false;
}

/* A process told of the ring, though it may not have seen all of it: a forked child knows
 * what its parent did.  Of at least that severity. */
static bool told_before(const struct search *search, const struct ring *ring, unsigned severity) {
    for (size_t i = 0; i < search->model->finding_count; i++) {
        const struct model_finding *finding = &search->model->findings[i];
        size_t found = 0;
        if (finding->edge_count != ring->length || finding->verdict == LGR_VERDICT_ACROSS_RUNS ||
            finding->severity < severity)
            continue;
        while (found < ring->length && has_pair(search, finding, ring->pairs[found]))
            found++;
        if (found == ring->length)
            return true;
    }
    return false;
}

/* ---- what keeps the orders apart ---- */

/* The gate was taken, alone, for this very request. */
static bool held_at(const struct search *search, const struct graph_pair *gate,
                    const struct sighting *request) {
    for (size_t i = gate->first; i < gate->first + gate->count; i++) {
        const struct sighting *sighting = &search->graph.sightings[i];
        if (sighting->process == request->process &&
            sighting->edge->request_context == request->edge->request_context &&
            sighting->edge->mode_from == LGR_EXCLUSIVE)
            return true;
    }
    return false;
}

/* By all that saw the pair, at all of its places. */
static bool gates(const struct search *search, size_t class, const struct graph_pair *pair) {
    const struct graph_pair *gate = pair_graph_pair(&search->graph, class, pair->to);
    if (!gate)
        return false;
    for (size_t i = pair->first; i < pair->first + pair->count; i++)
        if (!held_at(search, gate, &search->graph.sightings[i]))
            return false;
    size_t index = index_of(search, pair);
    for (size_t i = search->first_origin[index]; i < search->first_origin[index + 1]; i++)
        if (!saw(search, search->origins[i].source, index_of(search, gate)))
            return false;
    return true;
}

static bool is_on(const struct ring *ring, size_t class) {
    for (size_t i = 0; i < ring->length; i++)
        if (ring->pairs[i]->from == class)
            return true;
    return false;
}

/* Locks of files, and process-shared ones but those that every process has for itself in a
 * static variable.  glibc marks all robust mutexes as process-shared: that says nothing. */
static bool is_common(const struct model_lock *lock) {
    if (!lock || !lock->info)
        return false;
    return lock->info->kind == LGR_LOCK_FILE ||
           ((lock->info->attributes & LGR_LOCK_PSHARED) && !(lock->info->attributes & LGR_LOCK_ROBUST) &&
            !(lock->class && strcmp(lock->class->kind, "static") == 0));
}

/* Common locks are the same ones in all processes: each of these is a thread to the others,
 * and only a common lock keeps them out of each other's way. */
static bool have_common_locks(const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (!is_common(finding->edges[i].from))
            return false;
    return true;
}

/* Some lock of that class which was held around others; NULL: none was. */
static const struct model_lock *holding_lock(const struct search *search, size_t class) {
    if (search->graph.out[class] == search->graph.out[class + 1])
        return NULL;
    const struct graph_pair *pair = &search->graph.pairs[search->graph.out[class]];
    const struct sighting *sighting = &search->graph.sightings[pair->first];
    return model_lock_of(search->model, sighting->process, sighting->edge->from_lock);
}

static bool may_be_gate(const struct search *search, size_t class, bool common) {
    const char *kind = search->graph.classes[class]->kind;
    return common ? strcmp(kind, "guess") != 0 && is_common(holding_lock(search, class))
                  : strcmp(kind, "static") == 0;
}

/* A static lock, which is one in every process, around two orders of the ring; where
 * `common`, a common one. */
static const struct model_lock *find_gate(const struct search *search, const struct ring *ring, bool common) {
    for (size_t class = 0; class < search->graph.class_count; class ++) {
        size_t count = 0;
        if (is_on(ring, class) || !may_be_gate(search, class, common))
            continue;
        for (size_t i = 0; i < ring->length; i++)
            count += gates(search, class, ring->pairs[i]);
        if (count >= 2)
            return holding_lock(search, class);
    }
    return NULL;
}

static bool is_guess(const struct search *search, const struct ring *ring) {
    for (size_t i = 0; i < ring->length; i++)
        if (strcmp(search->graph.classes[ring->pairs[i]->from]->kind, "guess") == 0)
            return true;
    return false;
}

static void grade(const struct search *search, const struct ring *ring, struct model_finding *finding,
                  bool common) {
    finding->severity = LGR_NOTE;
    finding->gate = find_gate(search, ring, common);
    if (finding->gate)
        finding->reason = LGR_REASON_GATE;
    else if (is_guess(search, ring))
        finding->reason = LGR_REASON_GUESSED_CLASS;
    else if (search->one_thread && !common)
        finding->reason = LGR_REASON_THREAD;
    else
        finding->severity = LGR_WARNING;
}

/* What keeps the orders apart in one process, or a forked child from its parent's, does not
 * where the locks are common: another process goes on meanwhile.  Of a ring that one process
 * graded it must be known that another one took the very same locks. */
static bool worth_telling(const struct search *search, const struct ring *ring,
                          const struct model_finding *finding, bool common, bool graded) {
    if (finding->severity > LGR_NOTE && common)
        return !graded || finding->common_locks;
    return !graded && !told_before(search, ring, LGR_NOTE);
}

/* ---- the finding ---- */

/* Threads of different runs have nothing in common, not even their numbers. */
static const struct model_thread *thread_of_run(struct model *model, const struct model_thread *thread,
                                                size_t run) {
    struct model_thread *named = pool_alloc(&model->pool, sizeof *named);
    *named = *thread;
    named->serial = (uint32_t)run;
    named->tag = pool_printf(&model->pool, "run %zu", run);
    named->label = pool_printf(&model->pool, "run %zu, %s", run, thread->name);
    return named;
}

/* Of the sightings of these modes the one that is first by what ids are made of, however files
 * were read; of very many places, of the first few. */
static void choose(struct search *search, size_t index, unsigned modes, struct choice *best) {
    enum { MOST_PLACES = 64 };
    const struct graph_pair *pair = &search->graph.pairs[index];
    const char *first = NULL;
    for (size_t i = 0, looked = 0; i < pair->count && looked < MOST_PLACES; i++) {
        const struct sighting *sighting = &search->graph.sightings[pair->first + i];
        if (ring_modes(sighting->edge) != modes)
            continue;
        struct model_edge edge = model_edge_of(search->model, sighting->process, sighting->edge);
        const char *identity = edge_identity(&search->model->pool, &edge);
        looked++;
        if (first && strcmp(identity, first) >= 0)
            continue;
        first = identity;
        *best = (struct choice){edge, sighting->process};
    }
}

/* With the modes with which the ring closes. */
static const struct choice *choice_for(struct search *search, const struct ring *ring, size_t at) {
    size_t index = index_of(search, ring->pairs[at]);
    struct choice **choice = &search->choices[index * RING_MODES + ring->modes[at]];
    if (!*choice) {
        *choice = pool_alloc(&search->model->pool, sizeof **choice);
        choose(search, index, ring->modes[at], *choice);
    }
    return *choice;
}

static void tell(const struct ring *ring, void *context) {
    struct search *search = context;
    struct model *model = search->model;
    bool graded = graded_before(search, ring);
    if (told_before(search, ring, LGR_WARNING))
        return;
    struct model_finding finding = {.kind = LGR_KIND_ORDER_CYCLE,
                                    .verdict = LGR_VERDICT_ACROSS_RUNS,
                                    .count = 1,
                                    .edge_count = ring->length,
                                    .process_count = 0};
    finding.edges = pool_array(&model->pool, ring->length, sizeof *finding.edges);
    for (size_t i = 0; i < ring->length; i++) {
        const struct choice *choice = choice_for(search, ring, i);
        finding.edges[i] = choice->edge;
        finding.edges[i].thread = thread_of_run(model, finding.edges[i].thread, i + 1);
        finding.edges[i].sites = ring->pairs[i]->count;
        finding.process_count += choice->process != finding.last_process;
        finding.last_process = choice->process;
        if (i == 0)
            finding.process = choice->process;
    }
    bool common = have_common_locks(&finding);
    finding.common_locks = common && same_locks_meet(search->same, ring, graded);
    if (common && !graded && !finding.common_locks)
        common = !of_one_memory(search->same, ring);
    grade(search, ring, &finding, common);
    if (!worth_telling(search, ring, &finding, common, graded))
        return;
    model_label_edges(model, &finding);
    finding.id = finding_id(&model->pool, &finding);
    search->add(model, &finding);
}

/* The figures are written at the end: of who was killed, or still runs, there are none. */
static bool had_one_thread(const struct model_process *process) {
    size_t records, sources = sources_in(process);
    lgr_threads(process->file, &records);
    return process->header->threads != 0 && process->header->threads <= sources && records <= sources;
}

void across_runs(struct model *model, void (*add)(struct model *model, const struct model_finding *finding)) {
    struct search search = {.model = model, .one_thread = true, .add = add};
    size_t sources = 0;
    for (size_t i = 0; i < model->process_count; i++) {
        struct model_process *process = &model->processes[i];
        if (lgr_edge_count(process->file))
            sources += sources_in(process);
        search.one_thread &= had_one_thread(process);
    }
    if (sources < 2)
        return;
    search.graph = pair_graph_of(model);
    gather_origins(&search);
    search.choices =
        pool_array(&model->pool, search.graph.pair_count * RING_MODES + 1, sizeof *search.choices);
    search.same = same_locks_of(model, &search.graph);
    graph_rings(&model->pool, &search.graph, tell, &search);
}
