#include "event_loop_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

#include "clock.h"
#include "lock_order.h"
#include "text.h"
#include "timed.h"
#include "wakeup.h"

enum { EVENTS = 64 };

static lg_mutex_t registry = LG_MUTEX_INITIALIZER("event_loop.registry", SD_LEVEL_LEAF);
static struct sd_loop *loops; /* under registry */
static _Thread_local struct sd_loop *own;

/* ---- making and ending ---- */

static void beat(struct sd_loop *loop) {
    lg_heartbeat();
    atomic_store_explicit(&loop->beat_ms, sd_now_ms(), memory_order_relaxed);
}

static bool open_descriptors(struct sd_loop *loop, struct sd_error *error) {
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll >= 0 && sd_wakeup_open(&loop->wake, error) &&
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &wake) == 0)
        return true;
    return sd_fail_busy(error, "no_loop", 1, "loop %s: %s", loop->name, strerror(errno));
}

static void close_descriptors(struct sd_loop *loop) {
    if (loop->epoll >= 0)
        close(loop->epoll);
    sd_wakeup_close(&loop->wake);
}

static void enlist(struct sd_loop *loop) {
    sd_lock_surely(&registry);
    loop->next = loops;
    loops = loop;
    sd_unlock(&registry);
    own = loop;
    lg_watchdog_add(loop->name, (uint32_t)loop->heartbeat_ms);
    beat(loop);
}

static void strike(struct sd_loop *loop) {
    lg_watchdog_remove();
    own = NULL;
    sd_lock_surely(&registry);
    struct sd_loop **link = &loops;
    while (*link != loop)
        link = &(*link)->next;
    *link = loop->next;
    sd_unlock(&registry);
}

static struct sd_loop *make(const char *name, int32_t heartbeat_ms) {
    struct sd_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    sd_copy(loop->name, sizeof loop->name, name);
    loop->thread = gettid();
    loop->heartbeat_ms = heartbeat_ms;
    loop->epoll = loop->wake = -1;
    loop->posted_end = &loop->posted;
    if (lg_mutex_init(&loop->posts, "event_loop.posts", SD_LEVEL_LEAF) == 0)
        return loop;
    free(loop);
    return NULL;
}

struct sd_loop *sd_loop_create(const char *name, int32_t heartbeat_ms, struct sd_error *error) {
    if (own != NULL) {
        sd_fail(error, 500, "second_loop", "this thread runs loop %s already, and a thread has one loop only",
                own->name);
        return NULL;
    }
    struct sd_loop *loop = make(name, heartbeat_ms);
    if (loop == NULL) {
        sd_fail_busy(error, "no_loop", 1, "no memory for loop %s", name);
        return NULL;
    }
    if (open_descriptors(loop, error)) {
        enlist(loop);
        return loop;
    }
    close_descriptors(loop);
    lg_mutex_destroy(&loop->posts);
    free(loop);
    return NULL;
}

static struct post *take_posted(struct sd_loop *loop, bool close) {
    sd_lock_surely(&loop->posts);
    struct post *posted = loop->posted;
    loop->posted = NULL;
    loop->posted_end = &loop->posted;
    loop->closed = loop->closed || close;
    sd_unlock(&loop->posts);
    return posted;
}

void sd_loop_destroy(struct sd_loop *loop) {
    if (loop == NULL)
        return;
    strike(loop);
    for (struct post *post = take_posted(loop, true), *next; post != NULL; post = next) {
        next = post->next;
        free(post);
    }
    sd_loop_free_timers(loop);
    sd_loop_free_watches(loop);
    close_descriptors(loop);
    lg_mutex_destroy(&loop->posts);
    free(loop);
}

/* ---- posted calls ---- */

void sd_loop_stop(struct sd_loop *loop) {
    atomic_store(&loop->stopping, true);
    sd_wakeup_set(loop->wake);
}

/* Whether it was the first: then the loop must be woken. */
static bool append(struct sd_loop *loop, struct post *post, bool *first) {
    sd_lock_surely(&loop->posts);
    bool open = !loop->closed;
    if (open) {
        *first = loop->posted == NULL;
        *loop->posted_end = post;
        loop->posted_end = &post->next;
        atomic_fetch_add(&loop->backlog, 1);
    }
    sd_unlock(&loop->posts);
    return open;
}

bool sd_loop_post(struct sd_loop *loop, sd_loop_call *call, void *user, struct sd_error *error) {
    bool first = false;
    struct post *post = malloc(sizeof *post);
    if (post == NULL)
        return sd_fail_busy(error, "no_memory", 1, "no memory for a call to loop %s", loop->name);
    *post = (struct post){call, user, NULL};
    if (atomic_load(&loop->stopping) || !append(loop, post, &first)) {
        free(post);
        return sd_fail_busy(error, "shutting_down", 5, "loop %s is stopping", loop->name);
    }
    if (first)
        sd_wakeup_set(loop->wake);
    return true;
}

void sd_loop_waiting(struct sd_loop *loop, int change) {
    if (change >= 0)
        atomic_fetch_add(&loop->backlog, (size_t)change);
    else
        atomic_fetch_sub(&loop->backlog, (size_t)-change);
}

static void run_posted(struct sd_loop *loop) {
    for (struct post *post = take_posted(loop, false), *next; post != NULL; post = next) {
        next = post->next;
        atomic_fetch_sub(&loop->backlog, 1);
        post->call(loop, post->user);
        free(post);
    }
}

static void dispatch(struct sd_loop *loop, const struct epoll_event *event) {
    struct watch *watch = event->data.ptr;
    if (watch != NULL && watch->fd >= 0)
        watch->ready(loop, event->events, watch->user);
    else if (watch == NULL && sd_wakeup_clear(loop->wake))
        run_posted(loop);
}

/* ---- the loop ---- */

void sd_loop_set_limit(struct sd_loop *loop, sd_loop_limit *limit, void *user) {
    loop->limit = limit;
    loop->limit_user = user;
}

static int next_wait_ms(struct sd_loop *loop) {
    int32_t most = loop->heartbeat_ms / 3 + 1;
    int32_t asked = loop->limit == NULL ? -1 : loop->limit(loop->limit_user);
    int32_t timer = loop->first == NULL ? most : sd_left_ms(loop->first->at_ms);
    int32_t wait = timer < most ? timer : most;
    return asked >= 0 && asked < wait ? asked : wait;
}

static void one_round(struct sd_loop *loop) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop->epoll, events, EVENTS, next_wait_ms(loop));
    beat(loop);
    atomic_fetch_add_explicit(&loop->rounds, 1, memory_order_relaxed);
    for (int i = 0; i < count; i++)
        dispatch(loop, &events[i]);
    sd_loop_run_timers(loop);
    sd_loop_free_dropped(loop);
}

void sd_loop_run(struct sd_loop *loop) {
    while (!atomic_load(&loop->stopping))
        one_round(loop);
    beat(loop);
}

/* ---- watching ---- */

size_t sd_loops_figures(struct sd_loop_figures *figures, size_t room) {
    size_t count = 0;
    int64_t now = sd_now_ms();
    sd_lock_surely(&registry);
    for (const struct sd_loop *loop = loops; loop != NULL && count < room; loop = loop->next) {
        struct sd_loop_figures *one = &figures[count++];
        memcpy(one->name, loop->name, sizeof one->name);
        one->thread = loop->thread;
        one->heartbeat_ms = loop->heartbeat_ms;
        one->beat_age_ms = now - atomic_load_explicit(&loop->beat_ms, memory_order_relaxed);
        one->backlog = atomic_load(&loop->backlog);
        one->rounds = atomic_load_explicit(&loop->rounds, memory_order_relaxed);
    }
    sd_unlock(&registry);
    return count;
}
