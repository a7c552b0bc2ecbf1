/* The evidence file of a running process. */
#ifndef LOCKGRAPH_COMMAND_PROCESS_EVIDENCE_H
#define LOCKGRAPH_COMMAND_PROCESS_EVIDENCE_H

#include <sys/types.h>

#include "pool.h"

/* The file that process `pid` has mapped, whatever its directory; where its maps may not
 * be read, the newest one of that process id in ./lockgraph.data.  NULL: there is none, and
 * `*error` says so in one clean sentence. */
const char *process_evidence(struct pool *pool, pid_t pid, const char **error);

#endif
