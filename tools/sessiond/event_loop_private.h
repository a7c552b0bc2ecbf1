/* What the files of the event loop share: event_loop.c (its life, rounds, posted calls),
 * event_loop_watches.c and event_loop_timers.c.  All is its thread's own but for what says
 * otherwise. */
#ifndef SD_EVENT_LOOP_PRIVATE_H
#define SD_EVENT_LOOP_PRIVATE_H

#include <stdatomic.h>

#include <lockgraph/lockgraph.h>

#include "event_loop.h"

struct watch {
    int fd; /* -1: unwatched, and freed after the round */
    sd_loop_ready *ready;
    void *user;
    struct watch *next; /* of dropped */
};

struct sd_timer {
    int64_t at_ms;
    int32_t every_ms; /* 0: once */
    bool linked, running, cancelled;
    sd_loop_call *call;
    void *user;
    struct sd_timer *next, *before; /* the soonest first */
};

struct post {
    sd_loop_call *call;
    void *user;
    struct post *next;
};

struct sd_loop {
    char name[16];
    int thread, epoll, wake;
    int32_t heartbeat_ms;
    struct watch **watches; /* by descriptor */
    size_t watch_room;
    struct watch *dropped;
    struct sd_timer *first, *last;
    sd_loop_limit *limit;
    void *limit_user;
    lg_mutex_t posts;
    struct post *posted, **posted_end; /* under posts */
    bool closed;                       /* under posts */
    _Atomic size_t backlog;
    _Atomic bool stopping;
    _Atomic int64_t beat_ms;
    _Atomic uint64_t rounds;
    struct sd_loop *next; /* under registry */
};

void sd_loop_free_watches(struct sd_loop *loop);
/* Those that were unwatched in this round. */
void sd_loop_free_dropped(struct sd_loop *loop);
void sd_loop_run_timers(struct sd_loop *loop);
void sd_loop_free_timers(struct sd_loop *loop);

#endif
