/* From the ids of a merged file's records to the small numbers that evidence has. */
#ifndef LOCKGRAPH_RECORD_READER_MERGED_IDS_H
#define LOCKGRAPH_RECORD_READER_MERGED_IDS_H

#include "record/merged.h"

struct lgm_ids {
    size_t count, slots; /* slots: a power of two, or 0 */
    struct lgm_numbered *table;
    uint32_t last[LGM_END + 1]; /* the number given last, by type */
};

/* For one record more; false: out of memory. */
bool lgm_ids_make_room(struct lgm_ids *ids);
/* The next number of its type, from 1; there is room. */
uint32_t lgm_number(struct lgm_ids *ids, const struct lgm_record *record);
/* 0: none, or of no record so far. */
uint32_t lgm_number_of(const struct lgm_ids *ids, const struct lgm_id *id, uint16_t type);
void lgm_ids_free(struct lgm_ids *ids);

#endif
