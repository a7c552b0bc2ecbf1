/* Where in memory something of a table may be: a bit for each 64 KiB, the same one
 * every 2 GiB.  Spares looking through the table when memory goes in which there is
 * nothing of it.  Not synchronised: the owner's lock. */
#ifndef LOCKGRAPH_ENGINE_REGIONS_H
#define LOCKGRAPH_ENGINE_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LGE_REGION_BITS = 16, LGE_REGIONS = 1 << 15, LGE_REGIONS_A_WORD = 64 };

struct lge_regions {
    uint64_t words[LGE_REGIONS / LGE_REGIONS_A_WORD];
};

static inline uint64_t lge_region_bit(uintptr_t region) { return (uint64_t)1 << region % LGE_REGIONS_A_WORD; }
static inline size_t lge_region_word(uintptr_t region) { return region % LGE_REGIONS / LGE_REGIONS_A_WORD; }

static inline void lge_regions_add(struct lge_regions *regions, const void *address) {
    uintptr_t region = (uintptr_t)address >> LGE_REGION_BITS;
    regions->words[lge_region_word(region)] |= lge_region_bit(region);
}
/* False: nothing that was added lies there. */
static inline bool lge_regions_may_have(const struct lge_regions *regions, const void *start, size_t size) {
    uintptr_t region = (uintptr_t)start >> LGE_REGION_BITS;
    uintptr_t last = ((uintptr_t)start + (size - 1)) >> LGE_REGION_BITS;
    bool may = last - region >= LGE_REGIONS;
    for (; !may && region <= last; region++)
        may = (regions->words[lge_region_word(region)] & lge_region_bit(region)) != 0;
    return may;
}

#endif
