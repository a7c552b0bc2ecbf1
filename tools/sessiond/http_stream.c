#include "http_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "event_loop.h"
#include "http_exchange.h"
#include "http_wake.h"
#include "log.h"

enum { BLOCK = 16384 };

struct sd_stream {
    struct sd_wake wake;
    struct sd_request *request; /* NULL: over */
    struct sd_loop *loop;
    sd_stream_read *read;
    sd_stream_closed *closed;
    void *user;
    int fd;    /* watched; -1: not */
    bool gone; /* the client */
};

static void resume(struct sd_stream *stream) {
    if (stream->request != NULL)
        sd_exchange_resume(stream->request);
}

/* It is over for a client that does not read: libmicrohttpd would wait for it. */
static void hang_up(struct sd_stream *stream) {
    stream->gone = true;
    if (stream->fd >= 0)
        shutdown(stream->fd, SHUT_RDWR);
}

static void arrive(struct sd_wake *wake) {
    struct sd_stream *stream = (struct sd_stream *)wake; /* its first member */
    bool writing =
        stream->request != NULL && stream->request->stream == stream && !stream->request->suspended;
    if (writing && stream->read(stream->user, NULL, 0) < 0)
        hang_up(stream);
    resume(stream);
}

struct sd_stream *sd_stream_create(struct sd_request *request, struct sd_error *error) {
    if (strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0) {
        sd_fail(error, 405, "bad_method", "HEAD is not for a stream");
        return NULL;
    }
    struct sd_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a stream");
        return NULL;
    }
    stream->wake.arrive = arrive;
    stream->request = request;
    stream->loop = request->all->loop;
    stream->fd = -1;
    return stream;
}

void sd_stream_wake(void *stream) { sd_wake_put(&((struct sd_stream *)stream)->wake); }

void sd_stream_discard(struct sd_stream *stream) {
    sd_wake_remove(&stream->wake);
    free(stream);
}

static void unwatch(struct sd_stream *stream) {
    if (stream->fd >= 0)
        sd_loop_unwatch(stream->loop, stream->fd);
    stream->fd = -1;
}

static void client_left(struct sd_loop *loop, uint32_t events, void *user) {
    struct sd_stream *stream = user;
    (void)loop, (void)events;
    unwatch(stream);
    stream->gone = true;
    resume(stream);
}

/* libmicrohttpd ends the request first and then gives the response back. */
void sd_stream_over(struct sd_stream *stream) {
    unwatch(stream);
    stream->request = NULL;
}

/* libmicrohttpd asks.  Nothing to send: the connection rests. */
static ssize_t read_some(void *of, uint64_t position, char *bytes, size_t room) {
    struct sd_stream *stream = of;
    (void)position;
    if (stream->gone || stream->request == NULL)
        return (ssize_t)MHD_CONTENT_READER_END_WITH_ERROR;
    long length = stream->read(stream->user, bytes, room);
    if (length < 0)
        return (ssize_t)MHD_CONTENT_READER_END_OF_STREAM;
    if (length > 0)
        return length;
    if (stream->request->all->closing)
        return (ssize_t)MHD_CONTENT_READER_END_OF_STREAM;
    sd_exchange_suspend(stream->request);
    return 0;
}

static void end(void *of) {
    struct sd_stream *stream = of;
    unwatch(stream);
    if (stream->request != NULL)
        stream->request->stream = NULL;
    stream->closed(stream->user);
    sd_stream_discard(stream);
}

/* A connection that rests is not looked at by libmicrohttpd; so the loop does. */
static void look_for_leaving(struct sd_stream *stream) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(stream->request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sd_error error;
    if (info == NULL)
        return;
    if (sd_loop_watch(stream->loop, info->connect_fd, EPOLLRDHUP, client_left, stream, &error))
        stream->fd = info->connect_fd;
    else
        sd_log(SD_LOG_WARNING, "a stream is not watched for its client's leaving: %s", error.text);
}

enum MHD_Result sd_stream_reply(struct sd_stream *stream, const char *type, sd_stream_read *read,
                                sd_stream_closed *closed, void *user) {
    stream->read = read;
    stream->closed = closed;
    stream->user = user;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_some, stream, end);
    if (response == NULL) {
        closed(user);
        sd_stream_discard(stream);
        return MHD_NO;
    }
    stream->request->stream = stream;
    look_for_leaving(stream);
    /* The connection has no limit of idleness from here on, so it is for the stream alone. */
    MHD_set_connection_option(stream->request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return sd_reply_response(stream->request, 200, type, response);
}
