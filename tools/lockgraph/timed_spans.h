/* Single holds and waits that the evidence has (option timeline), with names. */
#ifndef LOCKGRAPH_COMMAND_TIMED_SPANS_H
#define LOCKGRAPH_COMMAND_TIMED_SPANS_H

#include "model.h"

struct timed_span {
    const struct model_process *process;
    const struct model_thread *thread;
    const struct model_lock *lock; /* NULL: waits for no lock */
    const char *what;              /* "holds audit_lock", "waits for T3 (worker) to end" */
    const char *at;                /* where the lock was taken, or the thread waits; NULL: not known */
    uint64_t start_ns, end_ns;     /* real time */
    bool waits;
};

/* A part of a hold in which others waited for the lock. */
struct waited {
    uint64_t start_ns, end_ns;
};

struct timed_spans {
    size_t count;
    struct timed_span *list; /* by process, thread and start; what encloses another comes before it */
    uint64_t least_ns;       /* of all processes that kept any, all that are longer are there; 0: none did */
    size_t wait_count;
    struct lock_wait *waits; /* by lock and start, none overlapping another of its lock */
    size_t hold_count;
    const struct timed_span **holds; /* by lock and start */
    struct last_holds *last;         /* for each of them: of it and those of its lock before it */
};

/* Of the model's pool; asked for once, since it makes names. */
struct timed_spans timed_spans_collect(struct model *model);

/* The part of the hold that comes after `from` and in which others waited; false: none does. */
bool timed_spans_waited(const struct timed_spans *spans, const struct timed_span *hold, uint64_t from,
                        struct waited *part);
/* Who held the lock when the wait began: of several readers the one that held it longest from
 * then on, since for that one it lasted; NULL: not known. */
const struct timed_span *timed_spans_holder(const struct timed_spans *spans, const struct timed_span *wait);

#endif
