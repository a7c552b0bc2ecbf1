/* Log lines as the program sees them, for a log of its own.
 *
 *     static void write_line(enum lg_log_level level, const char *line, void *user) { ... }
 *     lg_log_to(write_line, NULL);
 *
 * Which lines there are is the option log=, their form is in lockgraph(1). */
#ifndef LOCKGRAPH_LOG_H
#define LOCKGRAPH_LOG_H

#include <lockgraph/declared.h>

/* Gravest first. */
enum lg_log_level { LG_LOG_ERROR, LG_LOG_WARNING, LG_LOG_INFO, LG_LOG_DEBUG };

/* Called once for each line, on the thread that it is of, with whatever locks that thread
 * holds and none of the runtime's, before its call goes on; of a wait that lasts, while
 * it lasts.  The line has no end of line, and lasts until the callback returns, which it
 * must.  It may take locks, write and allocate: locks it takes itself are not watched, and
 * nothing is logged or found meanwhile.  One that the thread holds it must not ask for,
 * nor one that is held by a thread that may be waiting for such a lock.  Of lines in a
 * signal handler it hears when that is over.  errno is kept. */
typedef void lg_log_callback(enum lg_log_level level, const char *line, void *user);

#ifdef LOCKGRAPH_DISABLE
static __inline__ void lg_log_to(lg_log_callback *callback, void *user) { (void)callback, (void)user; }
#else
#ifdef __cplusplus
extern "C" {
#endif
/* Lines go to the callback and nowhere else.  NULL: where the option log_to= says, as to
 * begin with.  One at a time; of two calls at once the lines may go to either.  A line
 * that was under way is told to who is set when it is told, or lost. */
void lg_log_to(lg_log_callback *callback, void *user);
#ifdef __cplusplus
}
#endif
#endif

#endif
