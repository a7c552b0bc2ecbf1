/* Log lines, one write each:
 *
 *     [1700000000.123] WARNING lockgraph[412/415 worker-2]: <text>
 *
 * The process and thread are those that write.  Any thread, async-signal-safe. */
#ifndef LOCKGRAPH_PLATFORM_LOG_LINE_H
#define LOCKGRAPH_PLATFORM_LOG_LINE_H

#include <stdbool.h>

#include "platform/print.h"

/* Gravest first. */
enum lgp_log_level { LGP_LOG_ERROR, LGP_LOG_WARNING, LGP_LOG_INFO, LGP_LOG_DEBUG };

/* Lines of that level and graver ones; from the constructor. */
void lgp_log_set_level(enum lgp_log_level level);
bool lgp_log_wanted(enum lgp_log_level level);

/* A line in the making.  A text that does not fit is cut. */
enum { LGP_LOG_LINE = 1024 };
struct lgp_log_line {
    struct lgp_text text;
    char buffer[LGP_LOG_LINE];
};
/* Begins it; what it says is appended to line->text. */
void lgp_log_begin(struct lgp_log_line *line, enum lgp_log_level level);
/* Ends it and writes it.  Of lines that are no debugging aid some fifty a second
 * are written; the next one after that says how many were left out. */
void lgp_log_end(struct lgp_log_line *line, enum lgp_log_level level);
/* The same of what the program asked for: always written, and not counted. */
void lgp_log_end_asked(struct lgp_log_line *line, enum lgp_log_level level);

#endif
