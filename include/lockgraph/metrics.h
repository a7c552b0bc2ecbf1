/* The figures of the running process, as text in the OpenMetrics format: of each
 * class of locks how often it had to be waited for and how long, with the option
 * profile=1 also how often it was taken and how long it was held; and how much of
 * the process was seen.  lockgraph-metrics(3) names them. */
#ifndef LOCKGRAPH_METRICS_H
#define LOCKGRAPH_METRICS_H

#include <errno.h>

#include <lockgraph/declared.h>

#ifdef LOCKGRAPH_DISABLE
static __inline__ int lg_metrics_openmetrics(int fd) { return (void)fd, ENOSYS; }
#else
#ifdef __cplusplus
extern "C" {
#endif
/* Writes all of it, from `# TYPE` to `# EOF`, to the descriptor, which stays open and
 * the caller's.  Any thread, with any locks held: none of the program's is taken.
 *
 * | returns | when                                                            |
 * | 0       | all was written                                                 |
 * | ENOMEM  | there is no memory for a copy of the figures: nothing was       |
 * | EBUSY   | called in a signal handler, or before the runtime is up: nothing |
 * | others  | as of write(2), EINTR aside, which is tried again; a part may   |
 * |         | have been written                                               |
 *
 * A pipe that nobody reads raises SIGPIPE as write(2) does.  Not async-signal-safe. */
int lg_metrics_openmetrics(int fd);
#ifdef __cplusplus
}
#endif
#endif

#endif
