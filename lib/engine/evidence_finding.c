/* A finding, with all that it names. */
#include <string.h>

#include "engine/evidence.h"
#include "engine/evidence_parts.h"
#include "engine/finding.h"
#include "engine/level.h"
#include "engine/lock_class.h"
#include "platform/system.h"
#include "record/writer.h"

/* So that a report can show the declared order around the two. */
static void write_levels(void) {
    uint32_t count = lge_class_count();
    for (uint32_t id = 1; id <= count; id++)
        if (lge_class_level(id) != LGE_NO_LEVEL)
            lge_put_class(id);
}

static void write_held(const struct lgr_held *held, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        lge_put_lock(held[i].lock);
        lge_put_context(held[i].context);
    }
}

static size_t size_of_edges(const struct lge_finding *finding, bool whole) {
    size_t size = 0;
    for (size_t i = 0; i < finding->edge_count; i++) {
        size += sizeof(struct lgr_finding_edge);
        if (whole)
            size += finding->edges[i].held_count * sizeof(struct lgr_held);
        if (finding->kind == LGR_KIND_STALL)
            size += sizeof(uint64_t);
    }
    return size;
}

static void write_parts(const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct lge_finding_edge *edge = &finding->edges[i];
        write_held(edge->held, edge->held_count);
        if (finding->kind == LGR_KIND_STALL)
            lge_put_thread(lge_thread_of_serial((uint32_t)edge->from));
        else
            lge_put_lock(edge->from);
        if (edge->to != 0 && edge->wait_kind != LGR_WAIT_CONDITION && !lgr_waits_for_thread(edge->wait_kind))
            lge_put_lock(edge->to);
        lge_put_context(edge->held_context);
        lge_put_context(edge->request_context);
        lge_put_thread(lge_thread_of_serial(edge->thread));
    }
    if (finding->reason_kind == LGR_REASON_GATE)
        lge_put_lock(finding->reason_id);
}

static char *put_edge(char *at, const struct lge_finding_edge *edge, bool whole) {
    struct lgr_finding_edge *out = (struct lgr_finding_edge *)(void *)at;
    struct lge_thread *thread = lge_thread_of_serial(edge->thread);
    *out = (struct lgr_finding_edge){
        .from = edge->from,
        .to = edge->to,
        .from_class = edge->from_class,
        .to_class = edge->to_class,
        .thread = edge->thread,
        .tid = thread == NULL ? 0 : atomic_load_explicit(&thread->tid, memory_order_relaxed),
        .held_context = edge->held_context,
        .request_context = edge->request_context,
        .mode_from = edge->mode_from,
        .mode_to = edge->mode_to,
        .timed = edge->timed,
        .wait_kind = edge->wait_kind,
        .held_count = whole ? edge->held_count : 0,
    };
    if (whole && edge->held_count != 0)
        memcpy(out->held, edge->held, edge->held_count * sizeof(struct lgr_held));
    return at + sizeof *out + out->held_count * sizeof(struct lgr_held);
}

static void put_since(char *at, const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++, at += sizeof(uint64_t))
        memcpy(at, &finding->edges[i].since_realtime_ns, sizeof(uint64_t));
}

static size_t size_of_text(const struct lge_finding *finding) {
    return finding->text == NULL ? 0 : sizeof(uint32_t) + strlen(finding->text);
}

static void put_text(char *at, const struct lge_finding *finding) {
    uint32_t length = (uint32_t)strlen(finding->text);
    memcpy(at, &length, sizeof length);
    memcpy(at + sizeof length, finding->text, length);
}

/* Held stacks so large that the record would not fit a chunk are left out. */
static bool fits_whole(size_t size) { return size < LGR_CHUNK - 4096; }

_Atomic uint64_t *lge_evidence_finding(const struct lge_finding *finding, uint64_t count) {
    lgp_lock(&lge_evidence_lock);
    write_parts(finding);
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION)
        write_levels();
    bool whole = fits_whole(sizeof(struct lgr_finding) + size_of_edges(finding, true));
    size_t size = sizeof(struct lgr_finding) + size_of_edges(finding, whole) + size_of_text(finding);
    struct lgr_finding *record = lgr_begin(LGR_FINDING, size, true);
    if (record != NULL) {
        record->problem = finding->problem;
        record->kind = (uint16_t)finding->kind;
        record->verdict = (uint8_t)finding->verdict;
        record->severity = (uint8_t)finding->severity;
        record->time_realtime_ns = lgp_realtime_ns();
        atomic_store_explicit(&record->count, count, memory_order_relaxed);
        record->edge_count = (uint16_t)finding->edge_count;
        record->reason_kind = (uint16_t)finding->reason_kind;
        record->reason_id = finding->reason_id;
        record->timed = finding->timed;
        char *at = (char *)(record + 1);
        for (size_t i = 0; i < finding->edge_count; i++)
            at = put_edge(at, &finding->edges[i], whole);
        if (finding->kind == LGR_KIND_STALL)
            put_since(at, finding);
        if (finding->text != NULL)
            put_text(at, finding);
        lgr_commit(record);
        struct lgr_header *header = lgr_writer_header();
        atomic_fetch_add_explicit(&header->findings, 1, memory_order_relaxed);
        if (finding->verdict == LGR_VERDICT_ACTUAL)
            atomic_fetch_add_explicit(&header->deadlocks, 1, memory_order_release);
    }
    lgp_unlock(&lge_evidence_lock);
    return record == NULL ? NULL : &record->count;
}
