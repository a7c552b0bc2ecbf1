/* Whether other processes see a lock.
 *
 * glibc has every robust mutex process-shared, wherever it is: of these only the
 * memory tells.  To read the list of mappings takes as long as many thousand locks,
 * so it is asked where a finding is about to be made, or once for a thread. */
#ifndef LOCKGRAPH_ENGINE_OUTSIDE_H
#define LOCKGRAPH_ENGINE_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "record/format.h"

/* By its attributes (enum lgr_lock_attribute) alone: of a robust mutex both may be. */
static inline bool lge_maybe_outside(uint8_t attributes) { return (attributes & LGR_LOCK_PSHARED) != 0; }
static inline bool lge_maybe_private(uint8_t attributes) {
    return !lge_maybe_outside(attributes) || (attributes & LGR_LOCK_ROBUST) != 0;
}
/* In fact.  True where that cannot be told. */
bool lge_outside(const void *address, uint8_t attributes);

#endif
