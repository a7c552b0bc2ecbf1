/* The log: one line a write(2), which is whole for files opened to append and short
 * enough for pipes; so no lock is needed, and a line can be written anywhere, under any
 * lock and in the callbacks of Lockgraph.
 *
 *     [1764432000.123] WARNING session 12: line 3 …
 *
 * Never log a token or what a message says. */
#ifndef SD_LOG_H
#define SD_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum sd_log_level { SD_LOG_ERROR, SD_LOG_WARNING, SD_LOG_INFO, SD_LOG_DEBUG };

/* Before the first thread.  `path` NULL or "": standard error.  From here on, what
 * Lockgraph logs about locks goes here, too. */
bool sd_log_open(const char *path, enum sd_log_level level, struct sd_error *error);
bool sd_log_wanted(enum sd_log_level level);
void sd_log(enum sd_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the calling thread's lines are about: "session N" (or "manager", where it is 0),
 * until it is set again.  Returns what it was before. */
uint64_t sd_log_session(uint64_t session_id);

#endif
