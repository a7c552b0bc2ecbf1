/* The HTTP server: libmicrohttpd without threads of its own, driven by our event loop on
 * one thread ("http"), which only ever takes locks that are held for some instructions. */
#ifndef SD_HTTP_SERVER_H
#define SD_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "http_context.h"

struct sd_http_server;
/* The context must live longer, and gets its `server` here.  Listens when it returns; port_file is written
 * then. */
struct sd_http_server *sd_http_start(struct sd_http_context *context, struct sd_error *error);
int sd_http_port(const struct sd_http_server *server);
/* No new connections; requests under way are still answered. */
void sd_http_quiesce(struct sd_http_server *server);
void sd_http_stop(struct sd_http_server *server); /* closes, joins, frees */

struct sd_http_figures {
    int32_t connections;
    uint64_t accepted, requests, too_large, timeouts;
};
void sd_http_figures(const struct sd_http_server *server, struct sd_http_figures *figures);

#endif
