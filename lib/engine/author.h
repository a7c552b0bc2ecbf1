/* Who made the dependencies that are kept: only those threads need a component
 * in a vector clock. */
#ifndef LOCKGRAPH_ENGINE_AUTHOR_H
#define LOCKGRAPH_ENGINE_AUTHOR_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/part.h"

/* One more, one less dependency of the thread of that serial. */
void lge_author_add(uint32_t serial);
void lge_author_drop(uint32_t serial);
/* Whether any is left. */
bool lge_author_kept(uint32_t serial);
void lge_authors_reset(void);
struct lgp_part lge_authors_part(void);

#endif
