#include "engine/evidence.h"
#include "engine/lifecycle.h"

#include "engine/evidence_parts.h"
#include "engine/finding.h"
#include "engine/lock_class.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "engine/recorded_modules.h"
#include "record/writer.h"

/* Uses of conditions, by thread, condition and role.  Under the lock. */
static struct lge_map uses_written;
static char present;

void lge_evidence_new_file(void) {
    lge_evidence_generation++;
    lge_recorded_modules_new_file();
    lge_map_clear(&uses_written);
}

void lge_evidence_thread(struct lge_thread *thread) {
    lgp_lock(&lge_evidence_lock);
    lge_put_thread(thread);
    lge_put_own_name(thread);
    lgp_unlock(&lge_evidence_lock);
}

void lge_evidence_name(uint32_t serial, const char *name) {
    if (name[0] == '\0' || !lgr_writer_accepts(false))
        return;
    lgp_lock(&lge_evidence_lock);
    struct lge_thread *thread = lge_thread_of_serial(serial);
    lge_put_thread(thread);
    if (thread != NULL && thread->name[0] == '\0')
        lge_put_name(serial, name);
    lgp_unlock(&lge_evidence_lock);
}

/* Its own from an earlier promise, or a new one. */
static struct lgr_heartbeat *obtain_heartbeat(struct lge_heartbeat *heartbeat) {
    if (heartbeat->record != NULL && heartbeat->generation == lge_evidence_generation)
        return heartbeat->record;
    struct lgr_heartbeat *record = lgr_begin(LGR_HEARTBEAT, sizeof *record, true);
    heartbeat->record = record;
    heartbeat->generation = lge_evidence_generation;
    if (record == NULL)
        return NULL;
    record->severity = lge_severity_of(LGR_KIND_HEARTBEAT_MISSED);
    lgr_commit(record);
    atomic_fetch_add_explicit(&lgr_writer_header()->heartbeats, 1, memory_order_relaxed);
    return record;
}

struct lgr_heartbeat *lge_evidence_heartbeat(struct lge_thread *thread, uint32_t context) {
    if (!lgr_writer_accepts(true))
        return NULL;
    lgp_lock(&lge_evidence_lock);
    lge_put_thread(thread);
    if (thread->name[0] == '\0')
        lge_put_name(lge_thread_serial(thread), thread->heartbeat.name);
    lge_put_context(context);
    struct lgr_heartbeat *cell = obtain_heartbeat(&thread->heartbeat);
    lgp_unlock(&lge_evidence_lock);
    return cell;
}

void lge_evidence_edge(uint64_t from_lock, uint64_t to_lock, const struct lgr_held *held,
                       const struct lge_dependency *dependency) {
    if (!lgr_writer_accepts(false))
        return; /* or its parts would eat up the reserve for findings */
    lgp_lock(&lge_evidence_lock);
    lge_put_lock(from_lock); /* with its class; `lockgraph learn` compares the addresses */
    lge_put_lock(to_lock);
    lge_put_context(held->context);
    lge_put_context(dependency->context);
    struct lgr_edge *record = lgr_begin(LGR_EDGE, sizeof *record, false);
    if (record != NULL) {
        record->from_class = lge_lock_class(from_lock);
        record->to_class = lge_lock_class(to_lock);
        record->from_lock = from_lock;
        record->to_lock = to_lock;
        record->thread = dependency->thread;
        record->held_context = held->context;
        record->request_context = dependency->context;
        record->mode_from = (uint8_t)held->mode;
        record->mode_to = dependency->mode;
        record->timed = (dependency->flags & LGE_TIMED) != 0;
        lgr_commit(record);
        atomic_fetch_add_explicit(&lgr_writer_header()->edges, 1, memory_order_relaxed);
    }
    lgp_unlock(&lge_evidence_lock);
}

/* ---- conditions ---- */

void lge_evidence_condition(const struct lge_thread *thread, const void *condition, uint64_t mutex,
                            enum lgr_condition_role role) {
    uint64_t key = lge_mix(lge_mix((uintptr_t)condition, lge_thread_serial(thread)), role);
    if (!lgr_writer_accepts(false))
        return;
    lgp_lock(&lge_evidence_lock);
    bool fresh = lge_map_get(&uses_written, key) == NULL && lge_map_add(&uses_written, key, &present);
    if (fresh && mutex != 0)
        lge_put_lock(mutex);
    struct lgr_condition *record = fresh ? lgr_begin(LGR_CONDITION, sizeof *record, false) : NULL;
    if (record != NULL) {
        record->serial = lge_thread_serial(thread);
        record->role = role;
        record->condition = (uintptr_t)condition;
        record->mutex = mutex;
        lgr_commit(record);
    }
    lgp_unlock(&lge_evidence_lock);
}

struct lgp_part lge_condition_uses_part(void) {
    return (struct lgp_part){NULL, &uses_written, sizeof uses_written};
}

/* ---- figures ---- */

static void write_figures(struct lge_lock *known, void *user) {
    (void)user;
    if (known->contended == 0 || known->recorded != lge_evidence_generation)
        return;
    struct lgr_lock_stats *record = lgr_begin(LGR_LOCK_STATS, sizeof *record, false);
    if (record == NULL)
        return;
    record->lock = known->id;
    record->contended = known->contended;
    record->wait_total_ns = known->wait_total_ns;
    record->wait_max_ns = known->wait_most_ns;
    record->waiters_max = known->waiters_most;
    lgr_commit(record);
}

void lge_evidence_lock_figures(void) {
    lge_table_lock();
    lge_locks_each(write_figures, NULL);
    lge_table_unlock();
}

struct lgr_usage *lge_evidence_usage(uint32_t class_id, uint32_t context) {
    if (!lgr_writer_accepts(false))
        return NULL;
    lgp_lock(&lge_evidence_lock);
    lge_put_class(class_id);
    lge_put_context(context);
    struct lgr_usage *record = lgr_begin(LGR_USAGE, sizeof *record, false);
    if (record != NULL) {
        record->class_id = class_id;
        record->context = context;
        lgr_commit(record);
    }
    lgp_unlock(&lge_evidence_lock);
    return record;
}

struct lgr_thread_waits *lge_evidence_thread_waits(struct lge_thread *thread) {
    if (!lgr_writer_accepts(false))
        return NULL;
    lgp_lock(&lge_evidence_lock);
    if (thread != NULL) {
        lge_put_thread(thread);
        lge_put_own_name(thread);
    }
    struct lgr_thread_waits *record = lgr_begin(LGR_THREAD_WAITS, sizeof *record, false);
    if (record != NULL) {
        record->serial = thread == NULL ? 0 : lge_thread_serial(thread);
        lgr_commit(record);
    }
    lgp_unlock(&lge_evidence_lock);
    return record;
}

void lge_evidence_span_parts(struct lge_thread *thread, uint64_t lock, uint32_t context, uint32_t other) {
    lgp_lock(&lge_evidence_lock);
    lge_put_thread(thread);
    lge_put_own_name(thread);
    lge_put_context(context);
    if (lock != 0)
        lge_put_lock(lock);
    if (other != 0)
        lge_put_thread(lge_thread_of_serial(other));
    lgp_unlock(&lge_evidence_lock);
}

struct lgr_spans *lge_evidence_spans(uint32_t count) {
    struct lgr_spans *record =
        lgr_writer_accepts(false)
            ? lgr_begin(LGR_SPANS, sizeof *record + count * sizeof record->spans[0], false)
            : NULL;
    if (record != NULL)
        lgr_commit(record);
    return record;
}

void lge_evidence_level(int16_t level) {
    lgp_lock(&lge_evidence_lock);
    lge_put_level_name(level);
    lgp_unlock(&lge_evidence_lock);
}

void lge_evidence_reset(void) {
    lge_evidence_new_file();
    lge_evidence_states_reset();
}
