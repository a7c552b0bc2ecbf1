/* Log lines for a callback of the program (told_later.h). */
#ifndef LOCKGRAPH_INTERPOSE_LOG_CALLBACK_H
#define LOCKGRAPH_INTERPOSE_LOG_CALLBACK_H

#include "lockgraph/log.h"

/* NULL: none, they go where log_to says. */
void lgi_log_callback(lg_log_callback *callback, void *user);

#endif
