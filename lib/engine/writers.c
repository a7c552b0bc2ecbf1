#include "engine/writers.h"

#include "engine/check.h"
#include "engine/collect.h"
#include "engine/context.h"
#include "engine/cycle.h"
#include "engine/finding.h"
#include "engine/known.h"
#include "engine/past.h"

/* ---- how bad ---- */

/* A hang that needs this reader, who has the lock already, and this writer. */
static struct lge_reread graded(const struct lge_lock *lock, const struct lge_dependency *reader,
                                const struct lge_dependency *writer) {
    struct lge_reread reread = {.lock = lock->id, .reader = reader, .reason_kind = LGR_REASON_QUEUE};
    const struct lge_past_entry *order = lge_dependency_order(reader, writer);
    uint64_t gate = lge_dependency_gate(reader, writer);
    reread.reason_id = writer->thread;
    if (gate != 0) {
        reread.verdict = LGR_VERDICT_GATED;
        reread.reason_kind = LGR_REASON_GATE;
        reread.reason_id = gate;
    } else if (order != NULL) {
        reread.verdict = LGR_VERDICT_ORDERED;
        reread.reason_kind = (enum lgr_reason)order->reason;
        reread.reason_id = order->reason_id;
    } else {
        bool timed = ((reader->flags | writer->flags) & LGE_TIMED) != 0;
        reread.verdict = timed ? LGR_VERDICT_TIMED : LGR_VERDICT_FEASIBLE;
    }
    return reread;
}

/* With the writer that makes it worst.  Who only ever writes it itself blocks
 * nobody. */
static void look_at_reader(const struct lge_lock *lock, const struct lge_dependency *reader) {
    struct lge_reread worst = {.verdict = LGR_VERDICT_NONE};
    for (uint32_t i = 0; lock->writers != NULL && i < lock->writers->count; i++) {
        const struct lge_dependency *writer = lock->writers->dependencies[i];
        if (writer->thread == reader->thread)
            continue;
        struct lge_reread reread = graded(lock, reader, writer);
        if (reread.verdict > worst.verdict)
            worst = reread;
    }
    if (worst.verdict != LGR_VERDICT_NONE)
        lge_report_reread(&worst);
}

/* ---- evidence ---- */

/* One that has a place stays while we have the graph lock. */
static struct lge_lock *obtain_placed(const struct lge_request *request) {
    lge_table_lock();
    struct lge_lock *lock = lge_lock_obtain(request);
    if (lock != NULL)
        lge_node_promote(&lock->node);
    lge_table_unlock();
    return lock;
}

/* True when it is new. */
static bool keep(struct lge_lock *lock, struct lge_edge **evidence, struct lge_dependency *dependency) {
    if (*evidence == NULL)
        *evidence = lge_evidence_of(lock);
    return *evidence != NULL && lge_edge_attach(*evidence, dependency);
}

/* What a thread does again at the same point of its past tells nothing new. */
static uint64_t key_of(const struct lge_thread *thread, const struct lge_request *request) {
    uint64_t how = lge_mix(request->id, (uint64_t)request->flags << 8 | request->mode);
    return lge_mix(lge_mix(thread->top->key, how), thread->epoch);
}

/* NULL: memory is out, or spent. */
static struct lge_dependency *evidence_from(struct lge_thread *thread, const struct lge_request *request,
                                            uint32_t context) {
    struct lge_dependency *made = lge_collect_room() ? lge_dependency_make(thread, request, context) : NULL;
    if (made == NULL)
        lge_count_unwrapped();
    else
        lge_check_records(thread);
    return made;
}

/* ---- writers ---- */

/* Two readers of the lock may block each other from now on, or, where all that
 * wrote it so far gave up after a while, for longer. */
static void note_written(struct lge_lock *lock, const struct lge_request *request) {
    enum lge_written how = request->flags & LGE_TIMED ? LGE_WRITTEN_TIMED : LGE_WRITTEN;
    if (how <= lock->written)
        return;
    lge_table_lock();
    lock->written = (uint8_t)how;
    lge_table_unlock();
    for (struct lge_edge *edge = lock->node.in; edge != NULL; edge = edge->next_in)
        for (uint32_t i = 0; lge_watched(edge) && i < edge->count; i++)
            lge_cycle_look(edge, edge->dependencies[i]);
}

static void note_writer(struct lge_lock *lock, struct lge_dependency *writer) {
    if (!keep(lock, &lock->writers, writer))
        return;
    for (uint32_t i = 0; lock->rereads != NULL && i < lock->rereads->count; i++)
        look_at_reader(lock, lock->rereads->dependencies[i]);
}

void lge_writer_requested(struct lge_thread *thread, const struct lge_request *request, bool whole) {
    if (request->mode != LGR_EXCLUSIVE || !(request->flags & LGE_WRITER_PREFERRED))
        return;
    uint64_t key = key_of(thread, request);
    if (lge_recent(thread, key))
        return;
    struct lge_dependency *writer = whole ? evidence_from(thread, request, request->context) : NULL;
    lge_graph_lock();
    struct lge_lock *lock = obtain_placed(request);
    if (lock != NULL)
        note_written(lock, request);
    if (lock != NULL && writer != NULL)
        note_writer(lock, writer);
    lge_graph_unlock();
    if (writer != NULL)
        lge_recent_insert(thread, key);
    lge_dependency_drop(writer);
}

/* ---- readers ---- */

/* What the thread has of the lock is shared, and is its own to give up. */
static bool reads_again(const struct lge_thread *thread, const struct lge_request *request) {
    if (request->mode != LGR_SHARED || !(request->flags & LGE_WRITER_PREFERRED) ||
        (request->flags & LGE_HOLDERS_UNKNOWN))
        return false;
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (held->id == request->id && held->mode != LGR_SHARED)
            return false;
    return true;
}

void lge_reread_requested(struct lge_thread *thread, const struct lge_request *request) {
    if (!reads_again(thread, request))
        return;
    uint64_t key = lge_mix(key_of(thread, request), lge_place(request->site, request->context));
    if (lge_recent(thread, key))
        return;
    uint32_t context = lge_context_resolve(thread, request->site, request->sp);
    if (request->context != 0)
        context = request->context;
    struct lge_dependency *reader = evidence_from(thread, request, context);
    if (reader == NULL)
        return;
    lge_graph_lock();
    struct lge_lock *lock = obtain_placed(request);
    if (lock != NULL && keep(lock, &lock->rereads, reader))
        look_at_reader(lock, reader);
    lge_graph_unlock();
    lge_recent_insert(thread, key);
    lge_dependency_drop(reader);
}
