/* What `lockgraph top` shows: locks by what waiting for them costs, threads by how they
 * wait, at one moment and since the moment before. */
#ifndef LOCKGRAPH_COMMAND_TOP_ROWS_H
#define LOCKGRAPH_COMMAND_TOP_ROWS_H

#include "model.h"

/* Waits that go on count in wait_ns, with what they took so far. */
struct top_sums {
    uint64_t waits, wait_ns, taken, held_ns;
};
struct top_row {
    const char *key;            /* the same at every look */
    const char *words;          /* which locks; which thread, and what it waits for */
    size_t waiting;             /* threads, now */
    uint64_t since_ns;          /* how long it waits by now, of a thread; 0: not, or not known */
    struct top_sums sums, more; /* in all; since the look before */
    uint64_t wait_max_ns, hold_max_ns;
};
struct top_table {
    size_t count;
    struct top_row *rows; /* what costs most first */
};
struct top_view {
    struct top_table locks, threads; /* in the model's pool */
    double seconds;                  /* since the look before; since the start at the first */
    bool holds;                      /* were measured somewhere */
};

/* What a view is compared with: the sums of the one before. */
struct top_past {
    struct pool pool;
    uint64_t at_ns; /* real time; 0: there was none */
    size_t count;
    struct top_row *rows; /* by key */
};

/* `now`: real time.  `past` is from then on this view. */
struct top_view top_look(struct model *model, struct top_past *past, uint64_t now_ns);
void top_forget(struct top_past *past);

#endif
