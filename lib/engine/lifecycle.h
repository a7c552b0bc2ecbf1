/* Fork: the engine in a forked child. */
#ifndef LOCKGRAPH_ENGINE_LIFECYCLE_H
#define LOCKGRAPH_ENGINE_LIFECYCLE_H

#include "engine/engine.h"
#include "platform/part.h"

/* In the child, on its only thread, which is `self` (its block in the parent),
 * with its new kernel id.  What the parent knew stays known unless another
 * thread was changing it at the moment of the fork; then all is forgotten, but
 * for what `self` holds; but what it holds in memory that both see is the parent's. */
void lge_fork_child(struct lge_thread *self, uint32_t tid);

/* Each part's own; see platform/part.h. */
struct lgp_part lge_contexts_part(void);
struct lgp_part lge_classes_part(void);
struct lgp_part lge_identity_part(void);
struct lgp_part lge_deadlock_part(void);
struct lgp_part lge_destroyed_part(void);
struct lgp_part lge_search_part(void);
struct lgp_part lge_order_part(void);
struct lgp_part lge_recorded_modules_part(void);
struct lgp_part lge_condition_uses_part(void);
struct lgp_part lge_threads_part(void);
struct lgp_part lge_table_part(void);
struct lgp_part lge_graph_part(void);
struct lgp_part lge_evidence_part(void);
struct lgp_part lge_findings_part(void);
struct lgp_part lge_written_edges_part(void);
struct lgp_part lge_cycles_part(void);
struct lgp_part lge_open_cycles_part(void);
struct lgp_part lge_semaphores_part(void);
struct lgp_part lge_signals_part(void);
struct lgp_part lge_file_locks_part(void);
struct lgp_part lge_file_holds_part(void);
struct lgp_part lge_hold_times_part(void);
struct lgp_part lge_usages_part(void);
struct lgp_part lge_thread_waits_part(void);
struct lgp_part lge_timeline_part(void);
struct lgp_part lge_operations_part(void);
struct lgp_part lge_adaptive_part(void);
struct lgp_part lge_notes_part(void);
struct lgp_part lge_declared_orders_part(void);

#endif
