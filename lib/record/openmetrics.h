/* Figures as text in the OpenMetrics format, version 1.0: the same lines from the
 * running process and from the command.  docs/man/lockgraph-metrics.3.scd names
 * them. */
#ifndef LOCKGRAPH_RECORD_OPENMETRICS_H
#define LOCKGRAPH_RECORD_OPENMETRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/figures.h"

/* Labels: bytes that are no UTF-8 become question marks; the two together are of one
 * class only. */
struct lgr_class_metrics {
    const char *name;
    const char *id;
    struct lgr_figures figures;
};
struct lgr_process_metrics {
    uint64_t processes, locks, threads, nested, contended, ordered_pairs, unwrapped, dropped;
    uint64_t findings, errors; /* errors: of these */
};
struct lgr_metrics {
    struct lgr_process_metrics process;
    const struct lgr_class_metrics *classes;
    size_t class_count;
    bool holds; /* were measured in some process */
};

/* `put` gets the text in pieces, in order. */
void lgr_openmetrics(const struct lgr_metrics *metrics,
                     void (*put)(void *to, const char *text, size_t length), void *to);

#endif
