/* Locks of files: which lock is it, and do threads keep each other out with it?
 *
 * A lock is a file and a range of its bytes.  flock(2) locks the whole file, and
 * knows nothing of fcntl(2), whose record locks and locks of open file
 * descriptions keep each other out.  Ranges are one lock only when they are
 * equal: of those that overlap nothing is claimed.
 *
 * A record lock belongs to the process, and a description may be used by several
 * threads: then no thread of this process ever waits for another one of it.  Such
 * a lock is `shared`: it closes no cycle, is no gate, and nobody is waited for;
 * its edges are evidence for other processes.
 *
 * Synchronised by a lock of its own, which is held over no call of another part
 * but memory's.  Records are dropped when very many other files were locked
 * since: the id is dead then, and a new one begins. */
#ifndef LOCKGRAPH_ENGINE_FILE_LOCK_H
#define LOCKGRAPH_ENGINE_FILE_LOCK_H

#include "engine/engine.h"

#define LGE_FILE_END UINT64_MAX

struct lge_file_key {
    uint64_t device, inode;
    uint64_t birth;       /* inode numbers are used again: when this file was made, 0: not known */
    uint64_t first, last; /* bytes; LGE_FILE_END: however long it grows */
    bool ranges;          /* fcntl's, not flock's */
};

struct lge_file_lock {
    const void *address; /* stands for the lock in requests; nothing is there to be read */
    uint64_t id;
};

/* False: not locked before, or forgotten. */
bool lge_file_lock_find(const struct lge_file_key *key, struct lge_file_lock *found);
/* A new one, unless another thread was first.  Its class is its name; for the
 * files after the first few thousand, the call (site, sp).  False: memory is out. */
bool lge_file_lock_new(struct lge_thread *thread, const struct lge_file_key *key, const char *name,
                       uintptr_t site, uintptr_t sp, struct lge_file_lock *made);
bool lge_file_lock_alive(uint64_t id);

/* From now on; never taken back. */
void lge_file_lock_share(uint64_t id);
bool lge_file_lock_shared(uint64_t id);
/* Something happened to a descriptor that could not be looked at: all are shared
 * from now on.  Async-signal-safe. */
void lge_file_locks_doubt(void);

void lge_file_locks_reset(void);

#endif
