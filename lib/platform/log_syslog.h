/* Log lines as datagrams for the system log, in the manner of RFC 3164:
 *
 *     <12>lockgraph[412]: [1700000000.123] WARNING lockgraph[412/415 worker-2]: <text>
 *
 * The facility is `user`.  The time of the day is left to who receives it: what the
 * local time is takes files to find out.  Async-signal-safe. */
#ifndef LOCKGRAPH_PLATFORM_LOG_SYSLOG_H
#define LOCKGRAPH_PLATFORM_LOG_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/log_line.h"

/* The socket that lines go to from now on.  False: nobody listens there.  From the
 * constructor. */
bool lgp_syslog_open(const char *path);
/* Whether it is open. */
bool lgp_syslog_on(void);
/* A line without its end.  Whoever is too slow for it loses it; false: nobody listens
 * there any more.  Any thread. */
bool lgp_syslog_send(enum lgp_log_level level, const char *text, size_t length);

#endif
