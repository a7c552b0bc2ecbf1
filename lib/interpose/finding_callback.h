/* Findings for a callback of the program (told_later.h). */
#ifndef LOCKGRAPH_INTERPOSE_FINDING_CALLBACK_H
#define LOCKGRAPH_INTERPOSE_FINDING_CALLBACK_H

#include "engine/engine.h"
#include "lockgraph/finding.h"

/* NULL: none. */
void lgi_finding_callback(lg_finding_callback *callback, void *user);
/* Under engine locks. */
void lgi_finding_note(const struct lge_finding *finding);

#endif
