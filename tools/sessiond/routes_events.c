/* Server-sent events: a user's own, and those for all. */
#include <stdlib.h>
#include <string.h>

#include "http_stream.h"
#include "routes.h"

/* Sent at once, so that a client knows that it is subscribed. */
static const char hello[] = "retry: 2000\n: subscribed\n\n";

struct feed {
    struct sd_events *events;
    struct sd_subscriber *subscriber;
    bool greeted;
};

static long read_feed(void *of, char *bytes, size_t room) {
    struct feed *feed = of;
    if (feed->greeted || room < sizeof hello)
        return sd_events_read(feed->subscriber, bytes, room);
    feed->greeted = true;
    memcpy(bytes, hello, sizeof hello - 1);
    return sizeof hello - 1;
}

static void close_feed(void *of) {
    struct feed *feed = of;
    sd_events_unsubscribe(feed->events, feed->subscriber);
    free(feed);
}

static struct feed *subscribe(const struct sd_http_context *context, int64_t user, struct sd_stream *stream,
                              struct sd_error *error) {
    struct feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a subscriber");
        return NULL;
    }
    feed->events = context->events;
    feed->subscriber = sd_events_subscribe(context->events, user, sd_stream_wake, stream, error);
    if (feed->subscriber != NULL)
        return feed;
    free(feed);
    return NULL;
}

static enum MHD_Result events(struct sd_request *request, const struct sd_http_context *context) {
    struct sd_error error;
    struct sd_stream *stream = sd_stream_create(request, &error);
    if (stream == NULL)
        return sd_reply_error(request, &error);
    struct feed *feed = subscribe(context, sd_request_user(request), stream, &error);
    if (feed != NULL)
        return sd_stream_reply(stream, "text/event-stream", read_feed, close_feed, feed);
    sd_stream_discard(stream);
    return sd_reply_error(request, &error);
}

static const struct sd_route routes[] = {{"GET", "/api/v1/events", SD_USER, events}};
const struct sd_route_group sd_routes_events = {routes, sizeof routes / sizeof routes[0]};
