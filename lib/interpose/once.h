/* pthread_once for callers that stand behind another name (C11). */
#ifndef LOCKGRAPH_INTERPOSE_ONCE_H
#define LOCKGRAPH_INTERPOSE_ONCE_H

#include <pthread.h>

int lgi_once(pthread_once_t *control, void (*routine)(void));
/* From the constructor, after lgi_real_start. */
void lgi_once_start(void);

#endif
