/* What `lockgraph run` hands to the processes it starts: a sealed file in memory,
 * opened by the launcher's descriptor; none is inherited. */
#ifndef LOCKGRAPH_RECORD_HANDED_OVER_H
#define LOCKGRAPH_RECORD_HANDED_OVER_H

#include <stdint.h>

/* "/proc/PID/fd/N/KEY": the option that names one, with the key in hexadecimal, and a
 * buffer for it. */
enum { LGR_HANDED_TEXT = 64 };

/* The key of that text; 0: it names nothing. */
uint64_t lgr_handed_key(const char *option);

/* A descriptor of the file, and the key it must begin with.  Negative: the launcher is
 * gone, PID is another process here, or the file has not just those seals. */
long lgr_handed_open(const char *option, int access, long seals, uint64_t *key);
/* Maps `size` bytes of it; NULL: the kernel refuses. */
void *lgr_handed_map(long descriptor, uint64_t size, int protection);

#endif
