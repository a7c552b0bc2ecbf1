#include "platform/return_slot.h"

#if defined(__x86_64__)

uintptr_t lgp_return_slot(const struct lgp_frame *callee, const struct lgp_frame *caller) {
    uintptr_t slot = caller->sp - sizeof(uintptr_t);
    return callee->sp <= slot && lgp_return_address_in(slot) == caller->pc ? slot : 0;
}

#else

/* Larger frames are rare, and take long to look through. */
enum { FRAME_MOST = 16384 };

/* The word below it is the caller's frame pointer, which points into its frame;
 * 0 in the outermost one. */
static bool in_frame_record(uintptr_t slot, const struct lgp_frame *caller) {
    uintptr_t record = *(const volatile uintptr_t *)(slot - sizeof slot);
    return record == 0 || (record >= caller->sp && record - caller->sp < FRAME_MOST);
}

/* The same word may be a left-over of an earlier call somewhere else in the
 * frame: then only what looks like a frame record counts, and the lowest of
 * those, since locals are above it. */
uintptr_t lgp_return_slot(const struct lgp_frame *callee, const struct lgp_frame *caller) {
    uintptr_t only = 0;
    size_t count = 0;
    if (caller->sp <= callee->sp || caller->sp - callee->sp > FRAME_MOST)
        return 0;
    for (uintptr_t slot = callee->sp; slot < caller->sp; slot += sizeof slot) {
        if (lgp_return_address_in(slot) != caller->pc)
            continue;
        if (slot > callee->sp && in_frame_record(slot, caller))
            return slot;
        only = slot;
        count++;
    }
    return count == 1 ? only : 0;
}

#endif
