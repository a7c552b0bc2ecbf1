/* How often and how long threads waited for locks, of all processes of the model. */
#ifndef LOCKGRAPH_COMMAND_THREAD_WAITS_H
#define LOCKGRAPH_COMMAND_THREAD_WAITS_H

#include "model.h"

struct thread_waits {
    const struct model_process *process;
    uint32_t serial;
    const struct model_thread *thread; /* NULL: those of the process that have no row of their own */
    uint64_t count, total_ns, max_ns;  /* of waits that ended */
};
struct thread_waits_list {
    size_t count;
    struct thread_waits *rows; /* who waited longest first */
};

/* Lives as long as the model. */
struct thread_waits_list thread_waits_collect(struct model *model);

/* "T2 (worker)", with its process where there are several: "bank[4711] T2 (worker)". */
const char *thread_words(struct model *model, const struct model_process *process,
                         const struct model_thread *thread);

#endif
