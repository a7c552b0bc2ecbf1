/* When which thread held and waited for what, as far as the evidence has times: the waits
 * that were open when it was read, deadlocks, stalls, and what went over a limit. */
#ifndef LOCKGRAPH_COMMAND_HTML_TIMELINE_H
#define LOCKGRAPH_COMMAND_HTML_TIMELINE_H

#include <jansson.h>

#include "model.h"

/* {"end_us", "lanes": [{"process", "thread", "spans": [{"state", "start_us", "end_us",
 * "text"}]}]}; times from the start of the first process; end null: it was not over.  States
 * are "held", "contended" (held while others wait) and "blocked".  A new reference. */
json_t *html_timeline(struct model *model);

#endif
