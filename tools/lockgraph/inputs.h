/* Evidence named on a command line. */
#ifndef LOCKGRAPH_COMMAND_INPUTS_H
#define LOCKGRAPH_COMMAND_INPUTS_H

#include "data_dir.h"

/* The evidence files that the operands stand for: directories, files, and without any
 * ./lockgraph.data.  False: some of them were not there, about which it complained. */
bool inputs_gather(struct pool *pool, int count, char **arguments, struct path_list *inputs);

#endif
