/* Static variables of C++ functions: the Itanium C++ ABI, 3.3.3, "One-time Construction
 * API".  The first byte of a guard is not 0 once its variable is initialised; all else
 * in it is the implementation's. */
#ifndef LOCKGRAPH_INTERPOSE_LOCAL_STATIC_H
#define LOCKGRAPH_INTERPOSE_LOCAL_STATIC_H

#include <stdint.h>

/* What serves where no implementation is in reach of ours: a program that is not C++ has
 * loaded one for a library alone (RTLD_LOCAL), and all its calls come here.  Guards are
 * as in libstdc++.  Async-signal-safe but for a variable that needs itself while there
 * is one thread: that is libstdc++'s to refuse. */
int lgi_guard_acquire(uint64_t *guard);
void lgi_guard_release(uint64_t *guard);
void lgi_guard_abort(uint64_t *guard);

#endif
