/* Names that cost nothing to find: a module and an offset in it, a declared name,
 * an address.  Symbols are the command's work, never a locking thread's. */
#ifndef LOCKGRAPH_INTERPOSE_SHORT_NAMES_H
#define LOCKGRAPH_INTERPOSE_SHORT_NAMES_H

#include <stdint.h>

#include "platform/print.h"

/* "libx.so.1+0x1234", "main program+0x4040" */
void lgi_put_place(struct lgp_text *text, uintptr_t address);
/* `address` NULL: looked up, under the table lock. */
void lgi_put_lock(struct lgp_text *text, uint64_t id, const void *address);
/* " (level 40)", " (level 40 (session))" where the level has a name; nothing where the
 * class (NULL: none) has no level. */
struct lge_class;
void lgi_put_level(struct lgp_text *text, const struct lge_class *class);

#endif
