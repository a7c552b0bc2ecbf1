/* Between one look and the next: until time is up, or the user has seen enough. */
#ifndef LOCKGRAPH_COMMAND_PAUSE_H
#define LOCKGRAPH_COMMAND_PAUSE_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM and SIGHUP, the first time, end a pause instead of the
 * command; with `keys` and a terminal as the standard input, so does the key q. */
void pauses_begin(bool keys);

/* False: it is to end.  Any other key makes the pause shorter. */
bool pause_for(double seconds);

/* The terminal is as it was; so it is, too, while a signal stops the command or when one ends
 * it that can be caught. */
void pauses_end(void);

#endif
