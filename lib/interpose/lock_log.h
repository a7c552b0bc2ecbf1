/* What is logged about locks; platform/log_line.h has the form of a line. */
#ifndef LOCKGRAPH_INTERPOSE_LOCK_LOG_H
#define LOCKGRAPH_INTERPOSE_LOCK_LOG_H

#include "engine/engine.h"
#include "engine/held.h"
#include "platform/log_line.h"

/* From the constructor.  At LGP_LOG_DEBUG each lock call is told. */
void lgi_log_start(enum lgp_log_level level, const char *where);

/* Match lge_config.on_overdue, on_overlong, on_traced and on_adapted.  A line begins
 * with the operation that its thread is in, and the group of a lock of the lg_ functions,
 * which is still there. */
void lgi_log_overdue(const struct lge_overdue *overdue);
void lgi_log_overlong(const struct lge_overlong *overlong);
void lgi_log_traced(enum lge_traced what, uint64_t lock, const void *address, uint8_t kind, uint64_t ns);
/* A blocking call took so long while the lock was held. */
void lgi_log_blocked(const struct lge_held *held, const char *function, uint64_t ns);
void lgi_log_adapted(const struct lge_adapted *adapted);
/* A release of a lock that is not held. */
void lgi_log_unheld(uint64_t lock, const void *address, uint8_t kind);
/* What the thread holds, newest first, a line each: asked for, so at any level. */
void lgi_log_held(const struct lge_thread *thread);

#endif
