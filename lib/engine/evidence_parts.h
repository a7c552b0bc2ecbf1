/* Records that others name: contexts, classes, locks, threads and names of levels, each
 * once in a file, before the first record that names it.  Under the evidence lock. */
#ifndef LOCKGRAPH_ENGINE_EVIDENCE_PARTS_H
#define LOCKGRAPH_ENGINE_EVIDENCE_PARTS_H

#include "engine/graph.h"
#include "engine/thread.h"
#include "platform/futex_lock.h"

/* Protects everything "recorded", and the module list. */
extern struct lgp_lock lge_evidence_lock;
/* Of the file: what was recorded in an earlier one counts as unwritten. */
extern uint32_t lge_evidence_generation;

void lge_put_context(uint32_t id);
void lge_put_level_name(int16_t level);
void lge_put_class(uint32_t id);
/* With its class; nothing where the lock is not in the table. */
void lge_put_lock(uint64_t id);
/* A thread writes itself when it first leaves evidence, so the record is there even if
 * the thread is gone when a finding names it.  NULL: nothing. */
void lge_put_thread(struct lge_thread *thread);
void lge_put_name(uint32_t serial, const char *name);
/* The calling thread's, where it changed. */
void lge_put_own_name(struct lge_thread *thread);
/* NULL: gone. */
struct lge_thread *lge_thread_of_serial(uint32_t serial);

#endif
