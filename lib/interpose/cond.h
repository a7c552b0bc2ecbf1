/* Condition waits, for callers that stand behind another name (C11). */
#ifndef LOCKGRAPH_INTERPOSE_COND_H
#define LOCKGRAPH_INTERPOSE_COND_H

#include "interpose/mutex.h"

int lgi_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct lgi_limit *limit,
                  uintptr_t site, uintptr_t sp);
/* Before a signal or broadcast. */
void lgi_cond_signalled(pthread_cond_t *condition);

#endif
