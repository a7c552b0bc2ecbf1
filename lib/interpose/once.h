/* pthread_once for callers that stand behind another name (C11). */
#ifndef LOCKGRAPH_INTERPOSE_ONCE_H
#define LOCKGRAPH_INTERPOSE_ONCE_H

#include <pthread.h>
#include <stdint.h>

/* `site` and `sp`: of the call, for its stack. */
int lgi_once(pthread_once_t *control, void (*routine)(void), uintptr_t site, uintptr_t sp);
/* From the constructor, after lgi_real_start. */
void lgi_once_start(void);

#endif
