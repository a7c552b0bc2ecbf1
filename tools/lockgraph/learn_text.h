/* An order file written from what was seen. */
#ifndef LOCKGRAPH_COMMAND_LEARN_TEXT_H
#define LOCKGRAPH_COMMAND_LEARN_TEXT_H

#include "seen.h"

void learn_text(struct text *out, struct model *model, const struct seen *seen);

#endif
