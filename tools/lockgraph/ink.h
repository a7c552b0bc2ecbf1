/* Colours, for terminals only. */
#ifndef LOCKGRAPH_COMMAND_INK_H
#define LOCKGRAPH_COMMAND_INK_H

#include <stdbool.h>
#include <stdio.h>

#include "text.h"

enum ink { INK_NONE, INK_ERROR, INK_WARNING, INK_NOTE, INK_GOOD, INK_BOLD, INK_DIM };

/* Appends `string`, coloured when `color`. */
void ink_add(struct text *out, bool color, enum ink ink, const char *string);
enum ink ink_of_severity(unsigned severity);
/* True when `stream` is a terminal that wants colours (https://no-color.org). */
bool ink_wanted(FILE *stream);
/* Of the terminal that `stream` is; 0: it is none, or does not tell. */
size_t ink_columns(FILE *stream);

#endif
