/* Files in memory that the programs we start can open. */
#ifndef LOCKGRAPH_COMMAND_MEMORY_FILE_H
#define LOCKGRAPH_COMMAND_MEMORY_FILE_H

#include <sys/types.h>

/* One of that size, which may be sealed; -1 with errno set.  A limit on the size of
 * files, which the program shall have, does not count here. */
int memory_file(const char *name, off_t size);

#endif
