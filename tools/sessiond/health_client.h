/* Asks a service of this host for its health.  One connection, one question; no locks. */
#ifndef SD_HEALTH_CLIENT_H
#define SD_HEALTH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* true: it answered 200 in time.  Else the reason, for people. */
bool sd_health_ask(const char *address, int port, int32_t limit_ms, char *reason, size_t room);

#endif
