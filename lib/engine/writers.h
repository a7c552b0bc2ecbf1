/* Writers of rwlocks whose readers queue behind a waiting writer, and what they
 * make of readers.
 *
 * Two readers of such a lock may block each other (search.h), and a thread that
 * reads it twice may block itself: the second request waits for a writer, who
 * waits for the first hold.  That is a ring of one lock, which the order graph
 * has no edge for; so the lock keeps the evidence of both sides, and each new
 * piece is graded with what the other side has, as cycles are. */
#ifndef LOCKGRAPH_ENGINE_WRITERS_H
#define LOCKGRAPH_ENGINE_WRITERS_H

#include "engine/engine.h"

/* Before a blocking request, by lge_check, whatever the thread holds; `whole`: its
 * held stack can be relied on.  Takes the graph lock for what is new; nothing for
 * readers and where readers do not queue. */
void lge_writer_requested(struct lge_thread *thread, const struct lge_request *request, bool whole);
/* Before a request for a lock that the thread holds: nothing unless it reads
 * again, and readers queue.  The thread's held stack must be whole. */
void lge_reread_requested(struct lge_thread *thread, const struct lge_request *request);

#endif
