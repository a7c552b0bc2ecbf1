/* Where an error came from: the stack of the calling thread's latest sd_fail, kept while
 * it asks for that.  The struct is the caller's.  No locks; the first one of a process may
 * load the unwinder. */
#ifndef SD_TRACE_H
#define SD_TRACE_H

#include "text.h"

enum { SD_TRACE_FRAMES = 24 };

struct sd_trace {
    void *frames[SD_TRACE_FRAMES];
    int count;
};

/* From now on into this one, until it is set again; NULL: nowhere. */
void sd_trace_into(struct sd_trace *trace);
/* By sd_fail. */
void sd_trace_here(void);
/* "function+0x12 < caller+0x34 < …"; functions of a file alone are told by offset. */
void sd_trace_text(const struct sd_trace *trace, struct sd_text *text);

#endif
