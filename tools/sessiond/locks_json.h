/* Lockgraph's own figures of this process as JSON: how often locks of each class were
 * held and waited for, and for how long.  No locks. */
#ifndef SD_LOCKS_JSON_H
#define SD_LOCKS_JSON_H

#include <jansson.h>

#include "error.h"

/* {"holds_timed":B,"classes":[{"name":"…","level":N,"waits":N,"wait_s":S,…}],"process":{…}},
 * those that were waited for longest first; the locks of the documented order in any case.
 * With Lockgraph's option profile=1 also "holds", "hold_s", "hold_max_s".  NULL: 501 in a build without
 * Lockgraph. */
json_t *sd_locks_json(struct sd_error *error);

#endif
