/* A declared order and what was seen, side by side. */
#ifndef LOCKGRAPH_COMMAND_CHECK_TEXT_H
#define LOCKGRAPH_COMMAND_CHECK_TEXT_H

#include "seen.h"

/* The number of pairs that break the order. */
size_t check_text(struct text *out, struct model *model, const struct seen *seen, const struct order *order);

#endif
