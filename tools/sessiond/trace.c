#include "trace.h"

#include <execinfo.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_FRAMES = 3 }; /* here, sd_fail and what it calls */

static _Thread_local struct sd_trace *into;

void sd_trace_into(struct sd_trace *trace) {
    into = trace;
    if (trace != NULL)
        trace->count = 0;
}

void sd_trace_here(void) {
    if (into != NULL)
        into->count = backtrace(into->frames, SD_TRACE_FRAMES);
}

/* Of "path/program(function+0x12) [0x…]" what stands in the brackets. */
static void add_frame(struct sd_text *text, const char *symbol) {
    const char *begin = strchr(symbol, '('), *end = begin == NULL ? NULL : strchr(begin, ')');
    if (end == NULL || end == begin + 1)
        sd_text_add(text, "?");
    else
        sd_text_add_bytes(text, begin + 1, (size_t)(end - begin - 1));
}

void sd_trace_text(const struct sd_trace *trace, struct sd_text *text) {
    char **symbols = trace->count > OWN_FRAMES ? backtrace_symbols(trace->frames, trace->count) : NULL;
    for (int i = OWN_FRAMES; symbols != NULL && i < trace->count; i++) {
        sd_text_add(text, i == OWN_FRAMES ? "" : " < ");
        add_frame(text, symbols[i]);
    }
    free(symbols);
}
