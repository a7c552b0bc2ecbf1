/* In how many places the program takes one class of locks under another. */
#ifndef LOCKGRAPH_COMMAND_EDGE_SITES_H
#define LOCKGRAPH_COMMAND_EDGE_SITES_H

#include <stddef.h>

#include "record/reader.h"

/* Distinct request places of edges from_class -> to_class; 0: no record. */
size_t edge_sites(const struct lgr_file *file, uint32_t from_class, uint32_t to_class);

#endif
