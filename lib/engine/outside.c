#include "engine/outside.h"

#include "platform/tasks.h"

bool lge_outside(const void *address, uint8_t attributes) {
    return lge_maybe_outside(attributes) &&
           ((attributes & LGR_LOCK_ROBUST) == 0 || lgp_memory_shared(address));
}
