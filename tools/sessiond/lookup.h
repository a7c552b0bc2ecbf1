/* The addresses of a name, asked for by a thread of its own: the C library's resolver can
 * be neither interrupted nor given a limit, so who is late is left behind, and joined by a
 * later call once it came back.  Takes lookup.late (80), never while a thread is started or
 * waited for. */
#ifndef SD_LOOKUP_H
#define SD_LOOKUP_H

#include <netdb.h>
#include <stdint.h>

#include "cancel.h"
#include "error.h"

/* TCP addresses, for freeaddrinfo; what is an address already needs no thread.  NULL: 503
 * unreachable (also while too many are late), 504 time_limit, or what the token says. */
struct addrinfo *sd_lookup(const char *host, int port, int64_t until_ms, const struct sd_cancel *cancel,
                           struct sd_error *error);

#endif
