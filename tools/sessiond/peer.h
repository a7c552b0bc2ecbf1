/* `sessiond --peer`: the other side of the line protocol, for demonstrations, tests and
 * load: one event loop for all connections, histories in memory, a new event for those who
 * monitor with each SEND.  No locks. */
#ifndef SD_PEER_H
#define SD_PEER_H

#include "config.h"

/* Until SIGTERM; the exit status. */
int sd_peer_main(const struct sd_config *config);

#endif
