/* Waiting for a busy mutex. */
#ifndef LOCKGRAPH_INTERPOSE_MUTEX_WAIT_H
#define LOCKGRAPH_INTERPOSE_MUTEX_WAIT_H

#include "interpose/mutex.h"

/* From the constructor. */
void lgi_mutex_wait_start(void);
/* Blocks until the mutex is ours, the program's limit passed or glibc refused;
 * the result is that of the call the program made. */
int lgi_mutex_wait(struct lge_thread *thread, pthread_mutex_t *mutex, const struct lge_request *request,
                   const struct lgi_limit *limit);

#endif
