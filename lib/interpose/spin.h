#ifndef LOCKGRAPH_INTERPOSE_SPIN_H
#define LOCKGRAPH_INTERPOSE_SPIN_H

#include <stdint.h>

/* From the constructor, after lgi_real_start. */
void lgi_spin_start(void);

#endif
