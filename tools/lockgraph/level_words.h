/* What a report says of declared levels. */
#ifndef LOCKGRAPH_COMMAND_LEVEL_WORDS_H
#define LOCKGRAPH_COMMAND_LEVEL_WORDS_H

#include "model.h"

/* " (level 40)", " (level 40 (session))" where the level has a name, or "" for a lock without one. */
const char *level_of_lock(struct pool *pool, const struct model_lock *lock);
/* Whether it is an order declared by name that forbids it, and not their levels. */
bool names_forbid(const struct model_lock *wanted, const struct model_lock *held);
/* What is true of two locks of one level, else "". */
const char *level_keys(const struct model_lock *wanted, const struct model_lock *held);
/* ": the declared order is 10 registry, 20 session", from one level below the two to
 * one above them; "" when they have none. */
const char *level_order(struct pool *pool, const struct model_lock *wanted, const struct model_lock *held);

#endif
