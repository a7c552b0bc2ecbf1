/* Whether a recorded process still runs. */
#ifndef LOCKGRAPH_COMMAND_PROCESS_ALIVE_H
#define LOCKGRAPH_COMMAND_PROCESS_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

/* A process `pid` runs that was there when recording began: process ids are
 * used again. */
bool process_alive(uint32_t pid, uint64_t recording_since_realtime_ns);

#endif
