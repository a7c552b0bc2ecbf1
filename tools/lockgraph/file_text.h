/* A small text file, as a whole. */
#ifndef LOCKGRAPH_COMMAND_FILE_TEXT_H
#define LOCKGRAPH_COMMAND_FILE_TEXT_H

#include <stdbool.h>

#include "text.h"

/* Also where its size is not known ahead (a pipe).  False with errno set; a file of
 * more than 16 MiB is none (EFBIG). */
bool file_text(const char *path, struct text *content);

#endif
