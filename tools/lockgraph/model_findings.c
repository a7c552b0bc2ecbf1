#include "model_findings.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "across_runs.h"
#include "finding_id.h"
#include "hand_over.h"
#include "misuse_words.h"
#include "model_heartbeats.h"
#include "naming.h"
#include "narrative.h"
#include "progress.h"
#include "stacks.h"
#include "stall_words.h"
#include "text.h"

/* ---- one finding ---- */

static void fill_held(struct model *model, struct model_process *process,
                      const struct lgr_finding_edge_info *raw, struct model_edge *edge) {
    struct model_held *held = pool_array(&model->pool, raw->held_count, sizeof *held);
    for (size_t i = 0; i < raw->held_count; i++)
        held[i] = (struct model_held){model_lock_of(model, process, raw->held[i].lock),
                                      model_stack(model, process, raw->held[i].context),
                                      raw->held[i].mode == LGR_SHARED};
    edge->held = held;
    edge->held_count = raw->held_count;
}

static void fill_condition(struct model *model, const struct model_process *process, uint64_t address,
                           struct model_edge *edge) {
    edge->condition = address;
    edge->condition_name = name_of_address(model, process, address);
}

const char *edge_until(const struct model_edge *edge) {
    return edge->in_once ? "to finish its one-time initialisation" : "to end";
}

static void fill_edge(struct model *model, struct model_process *process,
                      const struct lgr_finding_edge_info *info, bool stall, struct model_edge *edge) {
    const struct lgr_finding_edge *raw = info->edge;
    if (raw->from && stall)
        edge->signaller = model_thread_of(model, process, (uint32_t)raw->from);
    else if (raw->from)
        edge->from = model_lock_of(model, process, raw->from);
    if (lgr_waits_for_thread(raw->wait_kind))
        edge->joined = model_thread_of(model, process, (uint32_t)raw->to);
    else if (raw->wait_kind == LGR_WAIT_CONDITION)
        fill_condition(model, process, raw->to, edge);
    else if (raw->to)
        edge->to = model_lock_of(model, process, raw->to);
    edge->in_once = raw->wait_kind == LGR_WAIT_ONCE;
    edge->at_barrier = raw->wait_kind == LGR_WAIT_BARRIER;
    struct model_thread *thread = model_thread_of(model, process, raw->thread);
    edge->thread = thread;
    edge->tid = raw->tid;
    edge->held_at = model_stack(model, process, raw->held_context);
    edge->requested_at = model_stack(model, process, raw->request_context);
    stacks_tell_apart(&edge->held_at, &edge->requested_at);
    name_thread_by_stack(model, thread, &edge->requested_at);
    edge->shared_from = raw->mode_from == LGR_SHARED;
    edge->shared_to = raw->mode_to == LGR_SHARED;
    edge->timed = raw->timed != 0;
    edge->sites = edge_sites(&process->sites, process->file, raw->from_class, raw->to_class);
    fill_held(model, process, info, edge);
}

struct model_edge model_edge_of(struct model *model, struct model_process *process,
                                const struct lgr_edge *edge) {
    const struct lgr_thread_info *thread = lgr_thread_by_serial(process->file, edge->thread);
    struct lgr_finding_edge raw = {.from = edge->from_lock,
                                   .to = edge->to_lock,
                                   .from_class = edge->from_class,
                                   .to_class = edge->to_class,
                                   .thread = edge->thread,
                                   .tid = thread ? thread->tid : 0,
                                   .held_context = edge->held_context,
                                   .request_context = edge->request_context,
                                   .mode_from = edge->mode_from,
                                   .mode_to = edge->mode_to,
                                   .timed = edge->timed,
                                   .wait_kind = LGR_WAIT_LOCK};
    struct model_edge result = {0};
    fill_edge(model, process, &(struct lgr_finding_edge_info){.edge = &raw}, false, &result);
    return result;
}

static void fill_reason(struct model *model, struct model_process *process, struct model_finding *finding,
                        uint64_t id) {
    if (finding->reason == LGR_REASON_GATE)
        finding->gate = model_lock_of(model, process, id);
    else if (finding->reason == LGR_REASON_CREATE || finding->reason == LGR_REASON_JOIN ||
             finding->reason == LGR_REASON_THREAD || finding->reason == LGR_REASON_QUEUE)
        finding->reason_thread = model_thread_of(model, process, (uint32_t)id);
    else if (finding->reason == LGR_REASON_DETAIL)
        finding->detail = id;
}

/* Different locks that share a name within the finding get "#1", "#2", … in
 * the order in which the ring meets them. */
struct label_table {
    const struct model_lock **locks;
    size_t count;
};

static void note_lock(struct label_table *table, const struct model_lock *lock) {
    for (size_t i = 0; lock && i < table->count; i++)
        if (table->locks[i] == lock)
            return;
    if (lock)
        table->locks[table->count++] = lock;
}

static const char *label_of(struct model *model, const struct label_table *table,
                            const struct model_lock *lock) {
    size_t same = 0, position = 0;
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->locks[i]->short_name, lock->short_name) == 0) {
            same++;
            if (table->locks[i] == lock)
                position = same;
        }
    return same < 2 ? lock->short_name : pool_printf(&model->pool, "%s#%zu", lock->short_name, position);
}

static const char *label_of_condition(struct model *model, const struct model_edge *edge) {
    if (edge->condition_name)
        return pool_printf(&model->pool, "condition %s", edge->condition_name);
    return pool_printf(&model->pool, "condition at %#lx", (unsigned long)edge->condition);
}

void model_label_edges(struct model *model, struct model_finding *finding) {
    struct label_table table = {.locks = pool_array(&model->pool, 2 * finding->edge_count, sizeof(void *))};
    bool by_class =
        finding->verdict == LGR_VERDICT_CLASS_PATTERN || finding->verdict == LGR_VERDICT_ACROSS_RUNS;
    for (size_t i = 0; i < finding->edge_count; i++) {
        note_lock(&table, finding->edges[i].from);
        note_lock(&table, finding->edges[i].to);
    }
    for (size_t i = 0; i < finding->edge_count; i++) {
        struct model_edge *edge = &finding->edges[i];
        edge->from_label = "nothing";
        if (edge->from)
            edge->from_label = by_class ? edge->from->short_name : label_of(model, &table, edge->from);
        if (edge->joined)
            edge->to_label = edge->joined->label;
        else if (edge->condition)
            edge->to_label = label_of_condition(model, edge);
        else if (!edge->to)
            edge->to_label = edge->at_barrier ? "a barrier" : "nothing";
        else
            edge->to_label = by_class ? edge->to->short_name : label_of(model, &table, edge->to);
    }
}

static bool comes_first(const struct model_edge *a, const struct model_edge *b) {
    if (a->thread->serial != b->thread->serial)
        return a->thread->serial < b->thread->serial;
    return a->from && b->from && a->from->raw < b->from->raw;
}

/* The ring starts at its oldest thread, whoever closed it this time. */
static void rotate_edges(struct model *model, struct model_finding *finding) {
    size_t count = finding->edge_count, start = 0;
    struct model_edge *rotated = pool_array(&model->pool, count, sizeof *rotated);
    for (size_t i = 1; i < count; i++)
        if (comes_first(&finding->edges[i], &finding->edges[start]))
            start = i;
    for (size_t i = 0; i < count; i++)
        rotated[i] = finding->edges[(start + i) % count];
    finding->edges = rotated;
}

static int by_thread(const void *a, const void *b) {
    const struct model_edge *left = a, *right = b;
    return left->thread->serial < right->thread->serial ? -1 : left->thread->serial > right->thread->serial;
}

static void fill_finding(struct model *model, struct model_process *process,
                         const struct lgr_finding_info *info, struct model_finding *finding) {
    const struct lgr_finding *raw = info->finding;
    *finding = (struct model_finding){.kind = raw->kind,
                                      .verdict = raw->verdict,
                                      .severity = raw->severity,
                                      .count = info->count,
                                      .time_realtime_ns = raw->time_realtime_ns,
                                      .process = process,
                                      .last_process = process,
                                      .process_count = raw->sources ? raw->sources : 1,
                                      .edge_count = info->edge_count,
                                      .reason = raw->reason_kind,
                                      .timed = raw->timed != 0};
    finding->edges = pool_array(&model->pool, info->edge_count, sizeof *finding->edges);
    for (size_t i = 0; i < info->edge_count; i++)
        fill_edge(model, process, &info->edges[i], is_stall(finding), &finding->edges[i]);
    for (size_t i = 0; info->since && i < info->edge_count; i++)
        finding->edges[i].since_realtime_ns = info->since[i];
    if (is_stall(finding) || is_about_one_lock(finding))
        qsort(finding->edges, finding->edge_count, sizeof *finding->edges, by_thread);
    else if (!is_misuse(finding))
        rotate_edges(model, finding);
    fill_reason(model, process, finding, raw->reason_id);
    finding->text = info->text ? text_clean(&model->pool, info->text) : NULL;
    find_hand_over(model, process, finding);
    model_label_edges(model, finding);
    finding->id = finding_id(&model->pool, finding);
}

/* ---- all of them ---- */

struct finding_place {
    const char *id;
    size_t index; /* in model.findings, which move while they grow */
};

static int compare_ids(const void *a, const void *b) {
    const struct finding_place *left = a, *right = b;
    return strcmp(left->id, right->id);
}

/* The known finding of that id; NULL: from now on the next one is. */
static struct model_finding *known_finding(struct model *model, const char *id) {
    struct finding_place key = {.id = id};
    struct finding_place **found = tfind(&key, &model->findings_by_id, compare_ids);
    if (found)
        return &model->findings[(*found)->index];
    struct finding_place *place = pool_alloc(&model->pool, sizeof *place);
    *place = (struct finding_place){id, model->finding_count};
    tsearch(place, &model->findings_by_id, compare_ids);
    return NULL;
}

static bool graver(const struct model_finding *a, const struct model_finding *b) {
    return a->severity != b->severity ? a->severity > b->severity : a->verdict > b->verdict;
}

/* One across runs tells anew what processes told of. */
static void unite_across_runs(struct model_finding *known, const struct model_finding *other) {
    struct model_finding first = *known;
    if (graver(other, known))
        *known = *other;
    known->count = first.count;
    if (known->process_count < first.process_count)
        known->process_count = first.process_count;
}

/* The graver of the two tells the story; counts add up. */
static void unite(struct model_finding *known, const struct model_finding *other) {
    struct model_finding first = *known;
    if (graver(other, known))
        *known = *other;
    known->count = first.count + other->count;
    known->process_count = first.process_count;
    if (first.last_process != other->process)
        known->process_count += other->process_count;
    known->last_process = other->process;
}

static void add_finding(struct model *model, const struct model_finding *finding) {
    struct model_finding *known = known_finding(model, finding->id);
    if (known) {
        bool anew = finding->verdict == LGR_VERDICT_ACROSS_RUNS && known->verdict != LGR_VERDICT_ACROSS_RUNS;
        (anew ? unite_across_runs : unite)(known, finding);
        return;
    }
    model->findings = checked_resize(model->findings, model->finding_count + 1, sizeof *model->findings);
    model->findings[model->finding_count++] = *finding;
}

static int compare_findings(const void *a, const void *b) {
    const struct model_finding *left = a, *right = b;
    if (left->severity != right->severity)
        return left->severity > right->severity ? -1 : 1;
    if (left->verdict != right->verdict)
        return left->verdict > right->verdict ? -1 : 1;
    if (left->edge_count != right->edge_count)
        return left->edge_count < right->edge_count ? -1 : 1;
    return strcmp(left->id, right->id);
}

static void collect_missing_heartbeats(struct model *model, struct model_process *process) {
    size_t count = 0;
    const struct lgr_heartbeat *heartbeats = lgr_heartbeats(process->file, &count);
    for (size_t i = 0; i < count; i++) {
        struct lgr_finding_info info;
        struct model_finding finding;
        if (!missing_heartbeat(&model->pool, process->file, &heartbeats[i], &info))
            continue;
        fill_finding(model, process, &info, &finding);
        add_finding(model, &finding);
    }
}

static void collect_from(struct model *model, struct model_process *process) {
    size_t count = 0;
    const struct lgr_finding_info *infos = lgr_findings(process->file, &count);
    for (size_t i = 0; i < count; i++) {
        struct model_finding finding;
        progress("telling finding", i + 1, count);
        fill_finding(model, process, &infos[i], &finding);
        add_finding(model, &finding);
    }
    collect_missing_heartbeats(model, process);
}

static void keep(void *node) { (void)node; }

void collect_findings(struct model *model, bool strict) {
    for (size_t i = 0; i < model->process_count; i++)
        collect_from(model, &model->processes[i]);
    across_runs(model, add_finding);
    tdestroy(model->findings_by_id, keep);
    model->findings_by_id = NULL;
    for (size_t i = 0; strict && i < model->finding_count; i++)
        if (model->findings[i].severity == LGR_NOTE)
            model->findings[i].severity = LGR_ERROR;
    if (model->finding_count)
        qsort(model->findings, model->finding_count, sizeof *model->findings, compare_findings);
    for (size_t i = 0; i < model->finding_count; i++)
        narrate(&model->pool, &model->findings[i]);
}
