/* Turns what the engine knows into records of the evidence file: each module,
 * context, class, lock and thread is written once, before the first record
 * that names it.  Under the graph lock, except where said. */
#ifndef LOCKGRAPH_ENGINE_EVIDENCE_H
#define LOCKGRAPH_ENGINE_EVIDENCE_H

#include "engine/graph.h"

/* Makes everything count as unwritten: a new file was opened. */
void lge_evidence_new_file(void);
/* Writes the finding; its live count in the file, or NULL. */
_Atomic uint64_t *lge_evidence_finding(const struct lge_finding *finding, uint64_t count);
/* Writes a class-level edge, once per (classes, modes, contexts): the caller
 * sees to that. */
void lge_evidence_edge(uint64_t from_lock, uint64_t to_lock, const struct lgr_held *held,
                       const struct lge_dependency *dependency);
/* Rewrites the thread's state slot; by the thread itself. */
void lge_evidence_state(struct lge_thread *thread, uint32_t owner_serial);
/* Clears it. */
void lge_evidence_state_clear(struct lge_thread *thread);
/* Waiting figures of every lock that was contended, at exit. */
void lge_evidence_lock_figures(void);
/* The name of that level, once in a file; again where it is another one by now. */
void lge_evidence_level(int16_t level);
/* A record of the usage of a class, at the place of that context or (0) anywhere:
 * empty, to be written in place.  NULL: refused.  Under the lock of usage.c. */
struct lgr_usage *lge_evidence_usage(uint32_t class_id, uint32_t context);
/* The same of the waits of a thread, by the thread itself: with its name.  NULL: of those
 * that have none of their own. */
struct lgr_thread_waits *lge_evidence_thread_waits(struct lge_thread *thread);
/* What a span names: its lock (0: none), its place, the thread and a thread it waits for (0: none); by the
 * thread itself. */
void lge_evidence_span_parts(struct lge_thread *thread, uint64_t lock, uint32_t context, uint32_t other);
/* Room for so many spans, to be written in place.  NULL: refused. */
struct lgr_spans *lge_evidence_spans(uint32_t count);
/* That the thread waits for a condition (with a mutex, 0: not known) or signals it:
 * once in a file for each. */
void lge_evidence_condition(const struct lge_thread *thread, const void *condition, uint64_t mutex,
                            enum lgr_condition_role role);
/* The thread's own record and name; by the thread itself. */
void lge_evidence_thread(struct lge_thread *thread);
/* The cell in the file of one that promised a heartbeat, with its name and the context of
 * this one; by the thread itself.  NULL: the file takes none. */
struct lgr_heartbeat *lge_evidence_heartbeat(struct lge_thread *thread, uint32_t context);
/* A name for one that did not write its own so far; "": none. */
void lge_evidence_name(uint32_t serial, const char *name);
void lge_evidence_reset(void);
/* Of evidence_state.c. */
void lge_evidence_states_reset(void);

#endif
