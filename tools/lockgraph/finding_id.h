/* The stable id of a finding: the same for the same problem in every run, on
 * every machine and at every address layout, as long as the same symbols are
 * at hand.
 *
 * It is the 48-bit hash, in hex, of: the kind; then for each edge of the ring
 * the identity of the lock held and of the lock wanted (declared name, static
 * variable with its module, or normalised frames of the initialising call),
 * their modes, and the normalised frames where the one was taken and the other
 * is requested.  A normalised frame is module and function with the line
 * counted from the function's first (so that an edit elsewhere in the file
 * does not matter), or build id and offset where there is no symbol.  The ring
 * starts at its smallest edge, so that it does not matter who came first; edges that
 * are about one lock are sorted.
 * Verdict, severity, threads, addresses and counts are left out: a problem
 * keeps its id when it is graded anew. */
#ifndef LOCKGRAPH_COMMAND_FINDING_ID_H
#define LOCKGRAPH_COMMAND_FINDING_ID_H

#include "model.h"

/* Slots of one pool, or readers of one lock: whoever waits waits for all others, and the edges
 * are in no order. */
bool is_about_one_lock(const struct model_finding *finding);

const char *finding_id(struct pool *pool, const struct model_finding *finding);
/* Its part in that. */
const char *edge_identity(struct pool *pool, const struct model_edge *edge);
/* 12 hex digits for any text. */
const char *stable_id(struct pool *pool, const char *text);

#endif
