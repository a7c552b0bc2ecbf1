/* What the files of the HTTP server share about one request: its inside.  Routes do not
 * include this.  All of it belongs to the HTTP thread, without locks. */
#ifndef SD_HTTP_EXCHANGE_H
#define SD_HTTP_EXCHANGE_H

#include "http_context.h"
#include "http_request.h"
#include "routes.h"

struct sd_loop;
struct sd_stream;

/* Requests whose connection waits: all are let go on before the server stops. */
struct sd_exchanges {
    const struct sd_http_context *context;
    struct sd_loop *loop;
    struct sd_request *suspended;
    bool closing;       /* the loop has ended */
    bool quiesced;      /* nobody new is listened to */
    bool resumed;       /* a connection was, and libmicrohttpd has not looked since */
    int32_t unanswered; /* requests that are not over */
    _Atomic uint64_t requests, too_large, timeouts; /* read by any thread */
};

struct sd_request {
    struct MHD_Connection *connection;
    struct sd_exchanges *all;
    const char *method;
    char path[256];
    struct sd_route_match match; /* route NULL: there is none */
    int64_t user;                /* 0: not known */
    int64_t began_us;
    struct sd_error refused; /* status 0: not; else told when the body was read */
    struct sd_text body;
    size_t discarded; /* bytes of a body that nobody will read */
    bool replied, too_long;
    struct sd_made made;
    struct sd_pending *pending; /* deferred */
    bool arrived;               /* …, and what it waited for is there */
    struct sd_stream *stream;   /* that it is answered by */
    bool suspended;
    struct sd_request *next, *before; /* of the suspended */
};

/* For libmicrohttpd; `of` is the struct sd_exchanges. */
enum MHD_Result sd_exchange_handle(void *of, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *bytes, size_t *length,
                                   void **at);
void sd_exchange_completed(void *of, struct MHD_Connection *connection, void **at,
                           enum MHD_RequestTerminationCode how);

/* The connection rests until it is resumed; each does nothing where it is so already. */
void sd_exchange_suspend(struct sd_request *request);
void sd_exchange_resume(struct sd_request *request);
/* Only the note that it rests; whether there was one. */
bool sd_exchange_unlist(struct sd_request *request);
/* Of a deferred one that arrived, or never will any more: answers. */
enum MHD_Result sd_exchange_finish(struct sd_request *request);
/* The request is over: what it waited for may come and is thrown away. */
void sd_exchange_forget(struct sd_request *request);

/* The request that a stream answers is over. */
void sd_stream_over(struct sd_stream *stream);

#endif
