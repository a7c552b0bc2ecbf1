/* What a descriptor leads to: which file, which bytes of it, and its name.
 * By system calls alone: errno stays as it is. */
#ifndef LOCKGRAPH_INTERPOSE_FILE_IDENTIFY_H
#define LOCKGRAPH_INTERPOSE_FILE_IDENTIFY_H

#include <fcntl.h>

#include "engine/file_lock.h"
#include "platform/print.h"

/* PATH_MAX, and what is put around a path. */
enum { LGI_FILE_NAME_ROUND = 64, LGI_FILE_NAME_SIZE = 4096 + 2 * LGI_FILE_NAME_ROUND };

/* The whole file, for flock or for fcntl.  False: no such descriptor, or the
 * kernel does not tell. */
bool lgi_file_identify(int descriptor, bool ranges, struct lge_file_key *key);
/* Narrows the key to a range as fcntl and lockf mean it; false: not a range. */
bool lgi_file_narrow(int descriptor, const struct flock *range, struct lge_file_key *key);
/* "flock /path", "fcntl /path [0, 100)". */
void lgi_file_name(int descriptor, const struct lge_file_key *key, struct lgp_text *name);
/* Whether the kernel knows a lock of that kind through the open file description
 * that the descriptor leads to; true when it does not tell. */
bool lgi_file_lock_there(int descriptor, bool ranges);

#endif
