/* Before a finished file is renamed over what was there. */
#ifndef LOCKGRAPH_COMMAND_MAY_REPLACE_H
#define LOCKGRAPH_COMMAND_MAY_REPLACE_H

#include <stdbool.h>

/* False when something else than a file is there: a device, a directory, a link. */
bool may_replace(const char *path);
#define MAY_REPLACE_NOT "it is there and no regular file; name another one"

#endif
