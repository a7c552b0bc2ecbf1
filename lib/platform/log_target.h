/* Where log lines (log_line.h) go. */
#ifndef LOCKGRAPH_PLATFORM_LOG_TARGET_H
#define LOCKGRAPH_PLATFORM_LOG_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/log_line.h"

/* "stderr"; a path, or "file:" and a path: a file that is appended to, and made for its
 * owner alone; "syslog", or "syslog:" and the path of a datagram socket in the place of
 * /dev/log.  False: it cannot be opened, or nobody listens there; then they go where
 * all text goes (print.h).  From the constructor. */
bool lgp_log_to(const char *where);

/* Is given each line instead, without its end; NULL: none.  It is called by
 * lgp_log_write, wherever that is, and so may take no lock of the runtime.  Any
 * thread (release, acquire). */
typedef void lgp_log_taker(enum lgp_log_level level, const char *text, size_t length);
void lgp_log_give_to(lgp_log_taker *taker);

/* One line, with its end.  Any thread, async-signal-safe. */
void lgp_log_write(enum lgp_log_level level, const char *text, size_t length);

#endif
