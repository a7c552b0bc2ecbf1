/* What a run of sessiond-load amounts to, as text and JSON. */
#ifndef SD_LOAD_FIGURES_H
#define SD_LOAD_FIGURES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "histogram.h"
#include "options.h"

struct figures {
    uint64_t sent, answered, killed, late; /* late: no connection was free in time */
    uint64_t statuses[600];
    uint64_t errors, stuck; /* connections that broke; answers that did not come in time */
    uint64_t events, subscribed, refused_subscribers, abandoned, slow_answered;
    struct sd_histogram times;
    int64_t began_us, ended_us;
    /* of the server, where its process is known */
    double cpu_s_before, cpu_s_after;
    int64_t rss_first, rss_last, rss_most;
};

/* Once a second: its memory. */
void figures_look_at_server(struct figures *figures, int pid, bool warm);
double figures_cpu_s(int pid);
void figures_print(const struct figures *figures, const struct options *options, FILE *out);
void figures_print_json(const struct figures *figures, const struct options *options, FILE *out);

#endif
