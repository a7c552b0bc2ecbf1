/* Where text goes: a descriptor that is the program's, too, or one of ours for log
 * lines.  It may have been closed and become a data file, its reader may be gone, its
 * pipe full: none of that may be seen by the program.  Async-signal-safe. */
#ifndef LOCKGRAPH_PLATFORM_LOG_SINK_H
#define LOCKGRAPH_PLATFORM_LOG_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "platform/print.h"

/* What a descriptor was when it was ours; all but `descriptor` written once, by
 * the constructor. */
struct lgp_sink {
    _Atomic int descriptor; /* -1: none; relaxed */
    bool known;
    dev_t device;
    ino_t file;
};

static inline int lgp_sink_descriptor(const struct lgp_sink *sink) {
    return atomic_load_explicit(&sink->descriptor, memory_order_relaxed);
}

/* It is ours from now on, as what it is; a closed one is none. */
void lgp_sink_remember(struct lgp_sink *sink, int descriptor);
/* Whether the descriptor is what the sink's was. */
bool lgp_sink_same(const struct lgp_sink *sink, int descriptor);
/* Dropped where the descriptor is something else by now. */
void lgp_sink_write(const struct lgp_sink *sink, const char *text, size_t length);

#endif
