/* Times as numbers of nanoseconds, and as people read them. */
#ifndef LOCKGRAPH_COMMAND_CLOCK_H
#define LOCKGRAPH_COMMAND_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "pool.h"

uint64_t clock_now_ns(clockid_t clock);

/* Local time in the form of strftime(3), of at most 31 bytes; "" when there is none. */
const char *clock_words(struct pool *pool, uint64_t realtime_ns, const char *form);

#endif
