/* Text goes to a file, or to the standard output. */
#ifndef LOCKGRAPH_COMMAND_OUTPUT_H
#define LOCKGRAPH_COMMAND_OUTPUT_H

#include <stdbool.h>

#include "text.h"

/* `file` NULL: the standard output; `mode` as for fopen(3).  False: not, or not as a
 * whole, and errno says why. */
bool output_write(const struct text *text, const char *file, const char *mode);

#endif
