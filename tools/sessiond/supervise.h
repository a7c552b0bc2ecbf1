/* `sessiond --supervise`: a parent that asks /health, and after two failures in a row
 * collects who waits for whom (lockgraph inspect), ends the service and starts it again.
 * One thread, no locks. */
#ifndef SD_SUPERVISE_H
#define SD_SUPERVISE_H

#include "config.h"

/* `arguments` are the service's own, without --supervise.  Until SIGTERM, which is passed
 * on; the exit status. */
int sd_supervise_main(const struct sd_config *config, char *const *arguments);

#endif
