/* What the two ways of finding a module share. */
#ifndef LOCKGRAPH_PLATFORM_MODULES_INTERNAL_H
#define LOCKGRAPH_PLATFORM_MODULES_INTERNAL_H

#include <link.h>

#include "platform/modules.h"

/* What the ELF header mapped at `start` says of its object. */
struct lgp_image {
    uintptr_t bias;
    uintptr_t end; /* of the last segment, page-aligned */
    const uint8_t *build_id;
    size_t build_id_length;
};

/* False where no ELF header of this machine's class, with its program headers
 * in the same page, lies at `start`.  That page must be readable; behind it
 * nothing from `limit` on is read. */
bool lgp_image_read(uintptr_t start, uintptr_t limit, struct lgp_image *image);

/* Whether one of its segments, zeroed data included, covers `address`: where they
 * leave gaps, anybody's memory may be in between. */
bool lgp_image_covers(uintptr_t start, const struct lgp_image *image, uintptr_t address);

/* The program headers of the object at `start`, as above; NULL: there are none. */
const ElfW(Phdr) * lgp_image_headers(uintptr_t start, size_t *count);

/* The way without _dl_find_object: a private copy of /proc/self/maps, read
 * again when an address is met that it does not cover.  An object mapped where
 * something else was before is noticed only then.  Takes a lock of its own. */
bool lgp_maps_find(uintptr_t address, struct lgp_module *module);
void lgp_maps_changed(void);

#endif
