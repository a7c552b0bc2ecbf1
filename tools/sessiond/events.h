/* Broadcast: events to subscribers, each with a queue of its own (1 MiB; a slow one is
 * dropped when it is full), at most 100.  Takes events.lock (80): to add, remove, and to
 * put into queues, never while anything is written.  Nothing else: publishing is possible
 * under a session's locks, so metrics are told later, by ping and figures.
 *
 * A subscriber's `ready` is called without the lock when there is something to read or it
 * was dropped; it may come from any thread and must not block (HTTP resumes a connection). */
#ifndef SD_EVENTS_H
#define SD_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "error.h"
#include "metrics.h"

struct sd_events;
struct sd_subscriber;
typedef void sd_subscriber_ready(void *user);

struct sd_event_figures {
    int32_t subscribers, limit;
    uint64_t published, delivered, dropped_slow, refused, pings;
    size_t queued_bytes;
};

struct sd_events *sd_events_create(const struct sd_config *config, struct sd_metrics *metrics,
                                   struct sd_error *error);
void sd_events_destroy(struct sd_events *events);
/* 503 too_many_subscribers. */
struct sd_subscriber *sd_events_subscribe(struct sd_events *events, int64_t user, sd_subscriber_ready *ready,
                                          void *user_data, struct sd_error *error);
/* Frees it; `ready` is not running and will not be called any more when this returns. */
void sd_events_unsubscribe(struct sd_events *events, struct sd_subscriber *subscriber);
/* To that user's subscribers (SD_USER_NONE: to all): `event: name` and `data: json`.
 * Returns to how many. */
unsigned sd_events_publish(struct sd_events *events, int64_t user, const char *name, const char *json);
/* Takes at most `room` bytes of what is to be sent, as server-sent events text; 0: nothing
 * now; -1: it was dropped for being slow, end the connection. */
long sd_events_read(struct sd_subscriber *subscriber, char *bytes, size_t room);
/* By a timer: a comment line to those that were idle for subscriber_ping_ms. */
void sd_events_ping(struct sd_events *events);
void sd_events_close_all(struct sd_events *events); /* shutdown: all read -1 */
void sd_events_figures(struct sd_events *events, struct sd_event_figures *figures);

#endif
