/* Findings that rest on a semaphore being a lock: kept, so that they can be lowered
 * should somebody post it who does not hold it.  Under the graph lock. */
#ifndef LOCKGRAPH_ENGINE_RESTING_H
#define LOCKGRAPH_ENGINE_RESTING_H

#include "engine/engine.h"

/* A ring that says too much: a semaphore it rests on was found to signal while it was
 * searched for. */
bool lge_resting_fell(const struct lge_finding *finding);
/* Makes a note of it: of a deadlock the cycle of orders that it is at most. */
void lge_resting_lower(struct lge_finding *finding);
void lge_resting_free(struct lge_finding *copy); /* may be NULL */

/* The same problem as seen with several locks.  Where all that are kept fell, the
 * problem falls, even if more than that were seen: after so many of its semaphores
 * signalled, the others are no locks for certain, and silence beats a wrong report.
 * One seen after that is told anew. */
enum { LGE_SIGHTINGS = 8 };
struct lge_sightings {
    size_t count; /* 0: what is told rests on no semaphore, is a note, or memory is out */
    struct lge_finding *of[LGE_SIGHTINGS]; /* copies; the first is the one told */
};

/* From now on that one is told.  The others stay as long as it may fall. */
void lge_sightings_tell(struct lge_sightings *sightings, const struct lge_finding *finding);
/* Another one, which tells no more. */
void lge_sightings_add(struct lge_sightings *sightings, const struct lge_finding *finding);
/* The semaphore signals: takes out what rests on it, and puts the gravest of the
 * others first.  The one told, to be freed by the caller, or NULL: it stays. */
struct lge_finding *lge_sightings_fall(struct lge_sightings *sightings, uint64_t semaphore);
void lge_sightings_clear(struct lge_sightings *sightings);

#endif
