/* Writes the evidence file of this process image.
 *
 * Part of the runtime: no malloc, no stdio, no interposed function, raw system
 * calls only.  All calls are thread-safe (one internal futex lock) except where
 * said.  Not async-signal-safe: the caller must not re-enter from a handler
 * (the engine's per-thread busy flag sees to that).
 *
 * After any failure (disk full, descriptor replaced, file size limit) the
 * writer turns itself off, prints one warning and every call becomes a no-op:
 * the program goes on. */
#ifndef LOCKGRAPH_RECORD_WRITER_H
#define LOCKGRAPH_RECORD_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/format.h"

struct lgr_writer_options {
    const char *directory; /* made if absent, mode 0700 */
    uint64_t max_data;     /* bytes of records; 0: no limit.  Past it only important ones, from a reserve */
    uint64_t run;          /* as in the header */
};

/* Creates `<program>.<pid>.<n>.lgd`, 0600, O_EXCL|O_NOFOLLOW|O_CLOEXEC, on a
 * high descriptor, allocates on disk before mapping (respecting RLIMIT_FSIZE),
 * fills the header and commits the LGR_PROCESS record.  False: no file, the
 * writer is off (one warning was printed). */
bool lgr_writer_open(const struct lgr_writer_options *options, const char *effective_options);

/* True while records are accepted. */
bool lgr_writer_on(void);

/* The live header fields; never NULL: a private dummy while there is no file.
 * After a failure the real header stays, so that counts and the end are still
 * recorded.  The writer itself touches `degraded`, `dropped` and what
 * lgr_writer_finish says; all other live fields belong to the caller, who
 * updates them with atomics and asks for the pointer anew each time (it moves
 * at fork). */
struct lgr_header *lgr_writer_header(void);
/* Whether that is of a file of this process: a child that we did not see begin still has
 * its parent's.  False without a file.  A system call. */
bool lgr_writer_is_own(void);

/* Starts a record of `size` bytes (its struct plus what follows; rounded up
 * here) and takes the writer's lock; NULL when off, full, larger than
 * LGR_CHUNK - sizeof(struct lgr_header), or in a child of a raw clone
 * (no lock is then held, header.dropped is raised).  The memory is zero.
 * `important` records may use LGR_RESERVE bytes past max_data.
 *
 * The record stays mapped at this address until the file ends or the process
 * forks: live fields (a finding's count, thread states) are updated in place. */
#define LGR_RESERVE (1024u * 1024u)
void *lgr_begin(uint16_t type, size_t size, bool important);

/* False, and counted as dropped, when a record of this importance would be
 * refused: asked before its contexts and classes are written for nothing, which
 * would eat up the reserve. */
bool lgr_writer_accepts(bool important);

/* Commits the record begun last (release store of its first word) and releases
 * the lock. */
void lgr_commit(void *record);

/* Sets end time, `ended` and status in the header; recording goes on (other
 * threads may still run).  LGR_RUNNING takes it back (an exec that failed). */
void lgr_writer_finish(enum lgr_end how, int exit_status);

/* In a forked child, on its only thread: drops the parent's mapping and
 * descriptor without touching the file and leaves the writer off until
 * lgr_writer_open is called again. */
void lgr_writer_fork_child(void);

/* The file's absolute path for messages, "" when there is none.  Valid until
 * the next lgr_writer_open. */
const char *lgr_writer_path(void);

#endif
