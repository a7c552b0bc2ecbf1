/* Which processes share memory because one of them forked the other, or a third one forked
 * both.  By process ids, programs and the times when they ran. */
#ifndef LOCKGRAPH_COMMAND_KIN_H
#define LOCKGRAPH_COMMAND_KIN_H

#include "model.h"

/* Two different ones, which ran at the same time; no merged files. */
bool are_kin(const struct model *model, const struct model_process *one, const struct model_process *other);

#endif
