/* When which thread held and waited for what, as far as the evidence has times: single holds
 * and waits where they were recorded, the waits that were open when it was read, deadlocks,
 * stalls, and what went over a limit. */
#ifndef LOCKGRAPH_COMMAND_HTML_TIMELINE_H
#define LOCKGRAPH_COMMAND_HTML_TIMELINE_H

#include <jansson.h>

#include "model.h"

/* {"end_us", "least_ns", "lanes": [{"process", "thread", "spans": [{"state", "start_us",
 * "end_us", "text", "at", "holder", "waited": [[from_us, to_us]]}]}]}; times from the start of the
 * first process; end null: it was not over.  All holds and waits of that least length are there,
 * null: they were not recorded.  States are "held", "contended" (held while others wait all
 * the time) and "blocked"; "waited" are the parts of a hold in which others wait; "holder" is
 * the thread that a wait was for, of several readers the one that held longest; it, "waited"
 * and "at" may be missing.  A new reference. */
json_t *html_timeline(struct model *model);

#endif
