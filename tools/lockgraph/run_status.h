/* The end of the program itself, written into its evidence once it is gone:
 * a killed process cannot do so, and the status of an exit is known only to
 * the parent. */
#ifndef LOCKGRAPH_COMMAND_RUN_STATUS_H
#define LOCKGRAPH_COMMAND_RUN_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "data_dir.h"

/* `status`: 0-255, 128+n for signal n.  The process must have ended. */
void record_status(const struct path_list *files, pid_t pid, int status);

#endif
