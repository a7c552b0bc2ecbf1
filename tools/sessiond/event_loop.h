/* An event loop: descriptors (epoll), timers, and calls posted by other threads.  One a
 * thread: asking for a second one is an error that says so.  Everything is called on the
 * loop's own thread without any lock.  Takes event_loop.posts (80) for the posted calls.
 *
 * Each round is a heartbeat, for Lockgraph's watchdog and for `watch`. */
#ifndef SD_EVENT_LOOP_H
#define SD_EVENT_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct sd_loop;
struct sd_timer;
typedef void sd_loop_ready(struct sd_loop *loop, uint32_t events, void *user); /* EPOLLIN … */
typedef void sd_loop_call(struct sd_loop *loop, void *user);

/* For the calling thread.  The name is copied.  `heartbeat_ms`: the watchdog's limit; the
 * loop wakes at least three times in it.  NULL: 500 second_loop, 503 no_loop. */
struct sd_loop *sd_loop_create(const char *name, int32_t heartbeat_ms, struct sd_error *error);
/* By its thread, after sd_loop_run; drops timers and posted calls.  Closes nothing. */
void sd_loop_destroy(struct sd_loop *loop);
/* Until sd_loop_stop. */
void sd_loop_run(struct sd_loop *loop);
/* Any thread. */
void sd_loop_stop(struct sd_loop *loop);
/* Any thread; false: no memory, or it is stopping (503), and nothing will be called. */
bool sd_loop_post(struct sd_loop *loop, sd_loop_call *call, void *user, struct sd_error *error);

/* The loop's thread only, as all that follows.  The descriptor stays the caller's. */
bool sd_loop_watch(struct sd_loop *loop, int fd, uint32_t events, sd_loop_ready *ready, void *user,
                   struct sd_error *error);
bool sd_loop_rewatch(struct sd_loop *loop, int fd, uint32_t events);
void sd_loop_unwatch(struct sd_loop *loop, int fd);
/* First after `ms`; again each `every_ms`, 0: once, and then it is freed by the loop. */
struct sd_timer *sd_loop_timer(struct sd_loop *loop, int32_t ms, int32_t every_ms, sd_loop_call *call,
                               void *user, struct sd_error *error);
void sd_timer_cancel(struct sd_loop *loop, struct sd_timer *timer);
/* A one-shot bound on the next wait, for what has a time limit of its own (libmicrohttpd);
 * called before each wait, returns milliseconds or -1. */
typedef int32_t sd_loop_limit(void *user);
void sd_loop_set_limit(struct sd_loop *loop, sd_loop_limit *limit, void *user);

/* Any thread, while the loop is there: so many more (less) wait for it in a queue of the
 * caller's own; counted with the posted calls. */
void sd_loop_waiting(struct sd_loop *loop, int change);

/* All loops of the process, for watching; takes event_loop.registry (80).  Any thread. */
struct sd_loop_figures {
    char name[16];
    int thread;           /* the kernel's id */
    int32_t heartbeat_ms; /* what it promised */
    int64_t beat_age_ms;  /* since the last one */
    size_t backlog;       /* posted, not yet called, and what waits in queues of their owners' */
    uint64_t rounds;
};
size_t sd_loops_figures(struct sd_loop_figures *figures, size_t room);

#endif
