#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lock_order.h"
#include "text.h"
#include "timed.h"

enum { WAIT_MS = 1000 };

struct sd_subscriber {
    struct sd_events *events;
    int64_t user;
    sd_subscriber_ready *ready;
    void *user_data;
    /* under events.lock */
    struct sd_subscriber *next, *next_to_call;
    struct sd_text queue;
    size_t read; /* of the queue */
    int64_t active_ms;
    bool dropped, to_call;
    unsigned calling; /* threads in `ready` */
};

struct sd_events {
    const struct sd_config *config;
    struct sd_metrics *metrics;
    lg_mutex_t lock; /* all that follows */
    lg_cond_t called;
    struct sd_subscriber *subscribers, *to_call;
    struct sd_event_figures figures, told;
};

struct sd_events *sd_events_create(const struct sd_config *config, struct sd_metrics *metrics,
                                   struct sd_error *error) {
    struct sd_events *events = calloc(1, sizeof *events);
    if (events == NULL || lg_mutex_init(&events->lock, "events.lock", SD_LEVEL_LEAF) != 0 ||
        lg_cond_init(&events->called) != 0) {
        free(events);
        sd_fail_busy(error, "no_memory", 1, "no memory for events");
        return NULL;
    }
    events->config = config;
    events->metrics = metrics;
    events->figures.limit = config->subscriber_limit;
    return events;
}

void sd_events_destroy(struct sd_events *events) {
    if (events == NULL)
        return;
    lg_cond_destroy(&events->called);
    lg_mutex_destroy(&events->lock);
    free(events);
}

static void tell(struct sd_events *events, const char *labels, uint64_t more) {
    if (more > 0)
        sd_metrics_count(events->metrics, SD_SERIES_EVENTS, labels, more);
}

/* What happened since it was told last.  Not under our lock, nor under a session's:
 * that of the metrics comes first in the order. */
static void tell_metrics(struct sd_events *events) {
    if (!sd_lock(&events->lock, NULL))
        return;
    struct sd_event_figures now = events->figures, before = events->told;
    events->told = now;
    sd_unlock(&events->lock);
    tell(events, "what=\"sent\"", now.delivered - before.delivered);
    tell(events, "what=\"dropped\"", now.dropped_slow - before.dropped_slow);
    tell(events, "what=\"refused\"", now.refused - before.refused);
    tell(events, "what=\"pings\"", now.pings - before.pings);
}

/* ---- subscribers ---- */

static struct sd_subscriber *create(struct sd_events *events, int64_t user, sd_subscriber_ready *ready,
                                    void *user_data, struct sd_error *error) {
    struct sd_subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a subscriber");
        return NULL;
    }
    subscriber->events = events;
    subscriber->user = user;
    subscriber->ready = ready;
    subscriber->user_data = user_data;
    subscriber->active_ms = sd_now_ms();
    return subscriber;
}

static bool add(struct sd_events *events, struct sd_subscriber *subscriber, struct sd_error *error) {
    if (!sd_lock(&events->lock, error))
        return false;
    bool room = events->figures.subscribers < events->figures.limit;
    if (room) {
        subscriber->next = events->subscribers;
        events->subscribers = subscriber;
        events->figures.subscribers++;
    } else {
        events->figures.refused++;
    }
    sd_unlock(&events->lock);
    if (room)
        return true;
    return sd_fail_busy(error, "too_many_subscribers", 5, "there are %d subscribers already",
                        events->config->subscriber_limit);
}

struct sd_subscriber *sd_events_subscribe(struct sd_events *events, int64_t user, sd_subscriber_ready *ready,
                                          void *user_data, struct sd_error *error) {
    struct sd_subscriber *subscriber = create(events, user, ready, user_data, error);
    if (subscriber == NULL || add(events, subscriber, error))
        return subscriber;
    free(subscriber);
    return NULL;
}

static size_t queued(const struct sd_subscriber *subscriber) {
    return subscriber->queue.length - subscriber->read;
}

/* Under the lock. */
static void empty_queue(struct sd_subscriber *subscriber) {
    subscriber->events->figures.queued_bytes -= queued(subscriber);
    sd_text_free(&subscriber->queue);
    subscriber->read = 0;
}

/* Under the lock. */
static void take_out(struct sd_events *events, struct sd_subscriber *subscriber) {
    struct sd_subscriber **at = &events->subscribers;
    while (*at != subscriber)
        at = &(*at)->next;
    *at = subscriber->next;
    for (at = &events->to_call; *at != NULL; at = &(*at)->next_to_call)
        if (*at == subscriber) {
            *at = subscriber->next_to_call;
            break;
        }
    events->figures.subscribers--;
    empty_queue(subscriber);
}

void sd_events_unsubscribe(struct sd_events *events, struct sd_subscriber *subscriber) {
    sd_lock_surely(&events->lock);
    take_out(events, subscriber);
    while (subscriber->calling > 0)
        lg_cond_timedwait(&events->called, &events->lock, WAIT_MS);
    sd_unlock(&events->lock);
    free(subscriber);
}

/* ---- delivery ---- */

/* Under the lock. */
static void wants_call(struct sd_events *events, struct sd_subscriber *subscriber) {
    if (subscriber->to_call)
        return;
    subscriber->to_call = true;
    subscriber->next_to_call = events->to_call;
    events->to_call = subscriber;
}

/* Calls all that are marked, each without the lock; those of others, too. */
static void call_marked(struct sd_events *events) {
    struct sd_subscriber *subscriber;
    sd_lock_surely(&events->lock);
    while ((subscriber = events->to_call) != NULL) {
        events->to_call = subscriber->next_to_call;
        subscriber->to_call = false;
        subscriber->calling++;
        sd_unlock(&events->lock);
        subscriber->ready(subscriber->user_data);
        sd_lock_surely(&events->lock);
        if (--subscriber->calling == 0)
            lg_cond_broadcast(&events->called);
    }
    sd_unlock(&events->lock);
}

/* Under the lock; false: it is dropped now. */
static bool put(struct sd_subscriber *subscriber, const char *bytes, size_t length) {
    struct sd_events *events = subscriber->events;
    bool room = queued(subscriber) + length <= (size_t)events->config->subscriber_queue_bytes;
    wants_call(events, subscriber);
    if (room) {
        sd_text_add_bytes(&subscriber->queue, bytes, length);
        room = !subscriber->queue.failed;
    }
    if (room) {
        events->figures.queued_bytes += length;
        subscriber->active_ms = sd_now_ms();
    } else {
        events->figures.dropped_slow++;
        subscriber->dropped = true;
        empty_queue(subscriber);
    }
    return room;
}

static unsigned put_to_all(struct sd_events *events, int64_t user, const struct sd_text *event) {
    unsigned sent = 0;
    if (!sd_lock(&events->lock, NULL))
        return 0;
    events->figures.published++;
    for (struct sd_subscriber *at = events->subscribers; at != NULL; at = at->next)
        if (!at->dropped && (user == 0 || at->user == user))
            sent += put(at, event->bytes, event->length);
    events->figures.delivered += sent;
    sd_unlock(&events->lock);
    return sent;
}

unsigned sd_events_publish(struct sd_events *events, int64_t user, const char *name, const char *json) {
    struct sd_text event = {0};
    unsigned sent = 0;
    sd_text_format(&event, "event: %s\ndata: %s\n\n", name, json);
    if (!event.failed) {
        sent = put_to_all(events, user, &event);
        call_marked(events);
    }
    sd_text_free(&event);
    return sent;
}

/* Under the lock: what was read takes no more room than what was not. */
static void compact(struct sd_subscriber *subscriber) {
    size_t left = queued(subscriber);
    if (left == 0) {
        empty_queue(subscriber);
    } else if (subscriber->read > left) {
        memmove(subscriber->queue.bytes, subscriber->queue.bytes + subscriber->read, left + 1);
        subscriber->queue.length = left;
        subscriber->read = 0;
    }
}

long sd_events_read(struct sd_subscriber *subscriber, char *bytes, size_t room) {
    sd_lock_surely(&subscriber->events->lock);
    size_t length = queued(subscriber);
    bool dropped = subscriber->dropped;
    if (length > room)
        length = room;
    if (length > 0) {
        memcpy(bytes, subscriber->queue.bytes + subscriber->read, length);
        subscriber->read += length;
        subscriber->events->figures.queued_bytes -= length;
    }
    compact(subscriber);
    sd_unlock(&subscriber->events->lock);
    return dropped ? -1 : (long)length;
}

void sd_events_ping(struct sd_events *events) {
    static const char ping[] = ": ping\n\n";
    if (!sd_lock(&events->lock, NULL))
        return;
    int64_t idle_since = sd_now_ms() - events->config->subscriber_ping_ms;
    for (struct sd_subscriber *at = events->subscribers; at != NULL; at = at->next)
        if (!at->dropped && at->active_ms <= idle_since)
            events->figures.pings += put(at, ping, sizeof ping - 1);
    sd_unlock(&events->lock);
    call_marked(events);
    tell_metrics(events);
}

void sd_events_close_all(struct sd_events *events) {
    sd_lock_surely(&events->lock);
    for (struct sd_subscriber *at = events->subscribers; at != NULL; at = at->next) {
        at->dropped = true;
        wants_call(events, at);
    }
    sd_unlock(&events->lock);
    call_marked(events);
}

void sd_events_figures(struct sd_events *events, struct sd_event_figures *figures) {
    sd_lock_surely(&events->lock);
    *figures = events->figures;
    sd_unlock(&events->lock);
    tell_metrics(events);
}
