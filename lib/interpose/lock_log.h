/* What is logged about locks; platform/log_line.h has the form of a line. */
#ifndef LOCKGRAPH_INTERPOSE_LOCK_LOG_H
#define LOCKGRAPH_INTERPOSE_LOCK_LOG_H

#include "engine/engine.h"
#include "platform/log_line.h"

/* From the constructor.  At LGP_LOG_DEBUG each lock call is told, and none takes
 * a hot path (self.h: lgi_all_slow). */
void lgi_log_start(enum lgp_log_level level, const char *where);

/* Match lge_config.on_overdue, on_traced and on_adapted.  A line begins with the
 * operation that its thread is in. */
void lgi_log_overdue(const struct lge_overdue *overdue);
void lgi_log_traced(enum lge_traced what, uint64_t lock, const void *address, uint64_t ns);
void lgi_log_adapted(const struct lge_adapted *adapted);
/* A release of a lock that is not held. */
void lgi_log_unheld(uint64_t lock, const void *address);

#endif
