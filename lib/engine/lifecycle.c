#include "engine/lifecycle.h"

#include "engine/author.h"
#include "engine/check.h"
#include "engine/collect.h"
#include "engine/evidence.h"
#include "engine/file_hold.h"
#include "engine/finding.h"
#include "engine/heartbeat.h"
#include "engine/hold_times.h"
#include "engine/identity.h"
#include "engine/open_cycle.h"
#include "engine/survivor.h"
#include "engine/thread.h"
#include "engine/timeline.h"
#include "engine/usage.h"
#include "engine/wait.h"
#include "platform/memory.h"
#include "platform/modules.h"

static struct lgp_part (*const parts[])(void) = {
    lge_destroyed_part,    lge_contexts_part,         lge_classes_part,       lge_identity_part,
    lge_deadlock_part,     lge_search_part,           lge_order_part,         lge_graph_part,
    lge_table_part,        lge_recorded_modules_part, lge_evidence_part,      lge_authors_part,
    lge_findings_part,     lge_threads_part,          lge_written_edges_part, lge_cycles_part,
    lge_semaphores_part,   lge_signals_part,          lge_open_cycles_part,   lge_file_locks_part,
    lge_file_holds_part,   lge_condition_uses_part,   lge_hold_times_part,    lge_usages_part,
    lge_operations_part,   lge_adaptive_part,         lge_notes_part,         lge_declared_orders_part,
    lge_thread_waits_part, lge_timeline_part,
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static bool intact(void) {
    if (!lgp_memory_intact())
        return false;
    for (size_t i = 0; i < PARTS; i++) {
        struct lgp_part part = parts[i]();
        if (!lgp_part_intact(&part))
            return false;
    }
    return true;
}

static void forget_all(void) {
    lgp_memory_forget();
    for (size_t i = 0; i < PARTS; i++) {
        struct lgp_part part = parts[i]();
        lgp_part_forget(&part);
    }
}

void lge_fork_child(struct lge_thread *self, uint32_t tid) {
    uint32_t tid_before = lge_thread_tid(self);
    lgp_modules_after_fork();
    lge_thread_drop_shared(self); /* first: later its ids may mean nothing */
    bool whole = intact();
    if (!whole) {
        forget_all();
        lge_start_again();
    }
    /* First, so that no number and no slot of the parent's is used again. */
    lge_identity_after_fork(tid);
    lge_evidence_new_file();
    lge_check_new_file();
    if (whole) {
        lge_threads_after_fork(self, tid);
        lge_findings_reset();
        lge_open_cycles_reset();
    } else {
        lge_threads_alone(self, tid);
    }
    lge_survivor_set(self, tid_before);
    lge_file_holds_after_fork(self);
    lge_waits_after_fork(self);
    lge_heartbeats_after_fork(self);
    lge_hold_times_after_fork(self);
    lge_usages_after_fork(self);
    lge_timeline_reset();
    lge_collect_reset();
}
