/* Locks of files: what the other parts of the runtime need of them. */
#ifndef LOCKGRAPH_INTERPOSE_FILE_H
#define LOCKGRAPH_INTERPOSE_FILE_H

#include <stdbool.h>

/* Options of the constructor; after lgi_real_start. */
void lgi_files_start(bool on);
/* In a forked child, after the engine. */
void lgi_files_after_fork(void);

/* Whether locks of files are followed, and this is the process we follow: after
 * vfork the child has its parent's memory, but not its descriptors. */
bool lgi_files_followed(void);

#endif
