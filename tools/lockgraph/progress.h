/* How far work is that takes more than a second: one line on the standard error where that
 * is a terminal, replaced each second and taken away at the end. */
#ifndef LOCKGRAPH_COMMAND_PROGRESS_H
#define LOCKGRAPH_COMMAND_PROGRESS_H

#include <stddef.h>

/* "lockgraph: reading file 120 of 1000"; cheap, for every step.  count 0: it is not known. */
void progress(const char *what, size_t done, size_t count);
/* Before anything else is written to the terminal. */
void progress_end(void);

#endif
