/* Descriptors that files were locked through, and which of them lead to the same
 * open file description: threads that lock through one description do not keep
 * each other out.
 *
 * Synchronised by a lock of its own; lgi_descriptor_concerns reads without it. */
#ifndef LOCKGRAPH_INTERPOSE_FILE_DESCRIPTORS_H
#define LOCKGRAPH_INTERPOSE_FILE_DESCRIPTORS_H

#include <stdatomic.h>

#include "engine/file_hold.h"

enum { LGI_DESCRIPTOR_MARKS = 1024 };
/* How many of the descriptors with that remainder are known; and of all.
 * Written under the lock, read by anybody: relaxed. */
extern _Atomic uint32_t lgi_descriptor_marks[LGI_DESCRIPTOR_MARKS], lgi_descriptors_known;

/* False, most of the time: nothing is locked through it. */
static inline bool lgi_descriptor_marked(int descriptor) {
    return atomic_load_explicit(&lgi_descriptor_marks[(unsigned)descriptor % LGI_DESCRIPTOR_MARKS],
                                memory_order_relaxed) != 0;
}

/* The description that the descriptor, which leads to that file, stands for now;
 * a new number where it is not known.  *shared: threads other than the one with
 * that serial locked through it, or may have.  0: memory is out. */
uint64_t lgi_description_of(int descriptor, const struct lge_file_key *key, uint32_t serial, bool *shared);
/* The descriptor is closed.  The number of its description when that was the
 * last known one that led to it, else 0. */
uint64_t lgi_descriptor_gone(int descriptor);
/* The first that is known in the range; -1: none. */
int lgi_descriptor_within(unsigned first, unsigned last);

/* In a forked child. */
void lgi_descriptors_forget(void);

#endif
