/* A finding as text on the standard error, the moment it is made.  Names are
 * (module+offset): symbols are the command's work, never a locking thread's. */
#ifndef LOCKGRAPH_INTERPOSE_FINDING_TEXT_H
#define LOCKGRAPH_INTERPOSE_FINDING_TEXT_H

#include "engine/engine.h"
#include "platform/print.h"

enum { LGI_FINDING_TEXT = 16384 };
/* All that is told of it. */
void lgi_put_finding(struct lgp_text *text, const struct lge_finding *finding);
/* Matches lge_config.on_finding; `user`: const bool, the command is watching. */
void lgi_print_finding(const struct lge_finding *finding, void *user);

#endif
