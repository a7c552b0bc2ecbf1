/* Lockgraph's own figures of this process as JSON: how often locks of each class were
 * held and waited for, and for how long.  No locks. */
#ifndef SD_LOCKS_JSON_H
#define SD_LOCKS_JSON_H

#include <jansson.h>

#include "error.h"

/* {"classes":[{"name":"…","waits":N,"holds":N,"wait_s":S,"hold_s":S,…}],"process":{…}},
 * those that were waited for longest first.  NULL: 501 in a build without Lockgraph. */
json_t *sd_locks_json(struct sd_error *error);

#endif
