/* In how many places the locks of one class were requested under those of another. */
#ifndef LOCKGRAPH_COMMAND_EDGE_SITES_H
#define LOCKGRAPH_COMMAND_EDGE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/reader.h"

/* Of one file; made at the first question, since each would else read all edges. */
struct edge_sites {
    bool made;
    struct site_set {
        size_t count, slots; /* slots: a power of two, or 0 */
        uint64_t *list;
    } sites; /* while it is made */
    struct pair_counts {
        size_t count, slots;
        struct pair_count *list;
    } pairs;
};

/* Distinct places that request a lock of `to_class` with one of `from_class` held; 0: none. */
size_t edge_sites(struct edge_sites *index, const struct lgr_file *file, uint32_t from_class,
                  uint32_t to_class);
void edge_sites_free(struct edge_sites *index);

#endif
