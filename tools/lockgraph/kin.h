/* Which processes can meet on a lock that both have. */
#ifndef LOCKGRAPH_COMMAND_KIN_H
#define LOCKGRAPH_COMMAND_KIN_H

#include "model.h"

/* Forked one from another, without exec, all have the same number: a lock in shared memory has one
 * address and one id in all of them.  0: not known. */
uint64_t memory_family(const struct model_process *process);

/* Two different ones, which ran at the same time and belong together: of one family, or one of
 * them, or their parent, started the other.  No merged files. */
bool are_kin(const struct model_process *one, const struct model_process *other);

#endif
