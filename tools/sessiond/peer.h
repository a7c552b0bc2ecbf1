/* `sessiond --peer`: the other side of the line protocol (line.h), for demonstrations,
 * tests and load: one event loop for all connections, histories in memory, a new event
 * for those who monitor with each SEND.  HELLO names the room.  No locks. */
#ifndef SD_PEER_H
#define SD_PEER_H

#include "config.h"
#include "event_loop.h"

/* Until SIGTERM; the exit status. */
int sd_peer_main(const struct sd_config *config);

/* The same within a loop of the caller's, on its thread. */
struct sd_peer;
/* `*port` 0 becomes the one it listens at.  `delay_ms` before each answer. */
struct sd_peer *sd_peer_start(struct sd_loop *loop, const char *host, int *port, int64_t history,
                              int32_t delay_ms, struct sd_error *error);
void sd_peer_stop(struct sd_peer *peer);

#endif
