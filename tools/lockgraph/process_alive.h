/* Whether a recorded process still runs. */
#ifndef LOCKGRAPH_COMMAND_PROCESS_ALIVE_H
#define LOCKGRAPH_COMMAND_PROCESS_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

/* A process `pid` runs that was there when recording began, and has the evidence file at
 * `path` (NULL: not asked) mapped, where that can be told: process ids are used again, and a
 * process in a namespace of its own knows itself by a number that here is another one's. */
bool process_alive(uint32_t pid, uint64_t recording_since_realtime_ns, const char *path);

#endif
