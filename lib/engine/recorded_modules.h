/* ELF objects named in the evidence file, and addresses as (module, offset).
 * Under the evidence lock. */
#ifndef LOCKGRAPH_ENGINE_RECORDED_MODULES_H
#define LOCKGRAPH_ENGINE_RECORDED_MODULES_H

#include "record/format.h"

/* Where an address lies; writes the module's record the first time. */
struct lgr_location lge_recorded_location(uintptr_t address);
void lge_recorded_modules_new_file(void);

#endif
