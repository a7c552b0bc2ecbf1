/* What happens to the program once a deadlock was reported: nothing, by
 * default. */
#ifndef LOCKGRAPH_INTERPOSE_ON_DEADLOCK_H
#define LOCKGRAPH_INTERPOSE_ON_DEADLOCK_H

#include "platform/options.h"

void lgi_on_deadlock_start(enum lgp_on_deadlock action);
/* By the thread that was found to be part of one.  Returns unless the option
 * says to end the process. */
void lgi_on_deadlock(void);

#endif
