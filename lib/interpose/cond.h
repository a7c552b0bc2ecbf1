/* Condition waits, for callers that stand behind another name (C11). */
#ifndef LOCKGRAPH_INTERPOSE_COND_H
#define LOCKGRAPH_INTERPOSE_COND_H

#include "interpose/mutex.h"

int lgi_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct lgi_limit *limit,
                  uintptr_t site, uintptr_t sp);
/* A signal, or (`all`) a broadcast, by `real` from (site, sp). */
int lgi_cond_signal(int (*real)(pthread_cond_t *), pthread_cond_t *condition, bool all, uintptr_t site,
                    uintptr_t sp);
/* Before an initialisation, and before a destruction. */
void lgi_cond_initialised(pthread_cond_t *condition);
void lgi_cond_destroyed(pthread_cond_t *condition, uintptr_t site, uintptr_t sp);

#endif
