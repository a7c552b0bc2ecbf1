/* What `lockgraph check` found, for people. */
#ifndef LOCKGRAPH_COMMAND_CHECK_TEXT_H
#define LOCKGRAPH_COMMAND_CHECK_TEXT_H

#include "check_judge.h"
#include "text.h"

void check_text(struct text *out, const struct checked *checked);

#endif
