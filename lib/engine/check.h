/* What check.c offers the rest of the engine. */
#ifndef LOCKGRAPH_ENGINE_CHECK_H
#define LOCKGRAPH_ENGINE_CHECK_H

#include "engine/engine.h"

void lge_check_start(const struct lge_config *config);
void lge_check_reset(void);
/* A new evidence file was opened: nothing is written yet. */
void lge_check_new_file(void);

/* The thread made a dependency: what names it may be told from now on.  By the
 * thread itself, without engine locks. */
void lge_check_records(struct lge_thread *thread);

/* Bits of enum lgr_degraded that the engine set. */
uint32_t lge_degraded(void);
void lge_degrade(uint32_t bit);
/* Events that could not be followed. */
uint64_t lge_unwrapped(void);
void lge_count_unwrapped(void);

#endif
