/* One call that takes or gives up a lock of a file, whichever its name. */
#ifndef LOCKGRAPH_INTERPOSE_FILE_LOCK_H
#define LOCKGRAPH_INTERPOSE_FILE_LOCK_H

#include <fcntl.h>

#include "engine/file_hold.h"
#include "interpose/self.h"

struct lgi_file_call {
    int descriptor;
    int command;    /* flock's operation, or the command of fcntl and lockf */
    void *argument; /* fcntl's */
    off_t length;   /* lockf's */
    uintptr_t site, sp;
    bool ranges, of_process; /* fcntl's, not flock's; a record lock */
    /* The real call.  `wait` false: as it is made by who does not want to wait. */
    int (*make)(const struct lgi_file_call *call, bool wait);
    /* The range and enum lgr_mode that it asked for; read after the kernel has
     * accepted the arguments.  False: it gives the range up. */
    bool (*range)(const struct lgi_file_call *call, struct flock *range, uint8_t *mode);

    /* filled on the way */
    struct lge_thread *thread;
    struct lge_file_key key;
    struct lge_file_owner owner;
    struct lge_request request;
};

/* Makes the call, which waits or does not, or gives the range up. */
int lgi_file_lock(struct lgi_file_call *call, bool wait);

#endif
