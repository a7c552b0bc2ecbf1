/* A declared order in an ordinary file, which `lockgraph env` writes for programs that
 * something else starts.  Such a file cannot be sealed: what is read is a copy. */
#ifndef LOCKGRAPH_RECORD_SAVED_ORDER_H
#define LOCKGRAPH_RECORD_SAVED_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* The option that names one is this and the path. */
#define LGR_SAVED_ORDER "file:"

/* The path in the option; NULL: it names no such file. */
const char *lgr_saved_order_path(const char *option);
/* Its bytes in memory that stays, and cannot be written; NULL: no regular file that can be
 * read, empty, or larger than any order.  Once, before there are threads. */
const void *lgr_saved_order_load(const char *path, uint64_t *size);

#endif
