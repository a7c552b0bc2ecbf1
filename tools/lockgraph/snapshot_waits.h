/* What the threads of a snapshot wait for, and who keeps it from them: from the
 * futex that a thread waits at, the libc function it is in, and glibc's own fields
 * of the object (nptl/sysdeps/nptl/bits/struct_mutex.h, struct_rwlock.h). */
#ifndef LOCKGRAPH_COMMAND_SNAPSHOT_WAITS_H
#define LOCKGRAPH_COMMAND_SNAPSHOT_WAITS_H

#include "model.h"
#include "snapshot.h"

enum wait_object {
    WAITS_NOT,
    WAITS_MUTEX,
    WAITS_RWLOCK,
    WAITS_SEMAPHORE,
    WAITS_CONDITION,
    WAITS_THREAD, /* for its end */
    WAITS_BARRIER,
    WAITS_ONCE,
    WAITS_FUTEX, /* of something that is none of these */
};

struct snapshot_wait {
    enum wait_object object;
    uint64_t address; /* of the object; 0 for a thread */
    const char *name; /* "ledger_lock", "mutex at 0x55d0c8", "T2 (worker) to end" */
    bool limited;     /* ends by itself after a time */
    bool shared;      /* a rwlock, for reading */
    uint32_t owner;   /* kernel id of who holds it or must end; 0: not known, or several */
    uint32_t readers; /* that hold a rwlock */
    size_t next;      /* index of the owner's thread; SIZE_MAX: none of this process */
    size_t cycle;     /* number of the cycle it is part of, from 1; 0: none */
};

/* A ring of threads of which each waits for the next. */
struct snapshot_cycle {
    size_t first; /* index of a thread of it; the others follow by `next` */
    size_t length;
    bool limited; /* one of the waits is: it comes apart by itself */
};

struct snapshot_waits {
    struct snapshot_wait *waits; /* one a thread */
    size_t waiting;              /* threads that wait for one of these */
    size_t cycle_count;
    struct snapshot_cycle *cycles;
};

/* "T2 (worker, 4713)"; in the pool. */
const char *snapshot_thread_label(const struct snapshot *snapshot, size_t index);
const char *wait_object_name(enum wait_object object); /* "mutex", … */

struct snapshot_waits snapshot_waits(struct snapshot *snapshot, struct symbols *symbols,
                                     const struct stack *stacks);

#endif
