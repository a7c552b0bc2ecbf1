/* What the two ways of finding a module share. */
#ifndef LOCKGRAPH_PLATFORM_MODULES_INTERNAL_H
#define LOCKGRAPH_PLATFORM_MODULES_INTERNAL_H

#include <link.h>

#include "platform/modules.h"

/* What the first page of an object says of it.  `page` is that page or a copy. */
struct lgp_image {
    uintptr_t bias;
    uintptr_t end; /* of the last segment, page-aligned */
};

/* Of the object that is mapped at `start`.  False where its page has no ELF header
 * of this machine's class with its program headers in the same page. */
bool lgp_image_read(const void *page, uintptr_t start, struct lgp_image *image);

/* False: it is not there. */
typedef bool lgp_reader(void *to, const void *from, size_t size);

/* The object's build id, read only from [start, limit): its length; 0: there is
 * none. */
size_t lgp_image_build_id(const void *page, uintptr_t start, uintptr_t limit, lgp_reader *reader,
                          uint8_t id[LGP_BUILD_ID]);

/* Whether one of its segments, zeroed data included, covers `address`: where they
 * leave gaps, anybody's memory may be in between. */
bool lgp_image_covers(const void *page, const struct lgp_image *image, uintptr_t address);

/* Its program headers; NULL: there are none. */
const ElfW(Phdr) * lgp_image_headers(const void *page, size_t *count);

/* The way without _dl_find_object: a private copy of /proc/self/maps and of the headers of
 * all objects in it, read again, by system calls, when an address is met that it does not
 * cover.  An object mapped where something else was before is noticed only then.  `may_go`:
 * the object's own headers are looked at, by system calls; otherwise nothing but the copy,
 * which tells of what was unloaded until lgp_maps_changed.  Takes a lock of its own. */
bool lgp_maps_find(uintptr_t address, struct lgp_module *module, bool may_go);
void lgp_maps_changed(void);
/* What the kernel's vDSO reads; 0: it is not mapped, or /proc is not there. */
uintptr_t lgp_maps_kernel_data(void);

#endif
