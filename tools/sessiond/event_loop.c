#include "event_loop.h"

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

/* Its thread's own but for what says otherwise. */
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

static void free_dropped(struct sd_loop *loop) {
    struct watch *watch;
    while ((watch = loop->dropped) != NULL) {
        loop->dropped = watch->next;
        free(watch);
    }
}

void sd_loop_destroy(struct sd_loop *loop) {
    if (loop == NULL)
        return;
    strike(loop);
    for (struct post *post = take_posted(loop, true), *next; post != NULL; post = next) {
        next = post->next;
        free(post);
    }
    for (struct sd_timer *timer = loop->first, *next; timer != NULL; timer = next) {
        next = timer->next;
        free(timer);
    }
    for (size_t i = 0; i < loop->watch_room; i++)
        free(loop->watches[i]);
    free(loop->watches);
    free_dropped(loop);
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

static void run_posted(struct sd_loop *loop) {
    for (struct post *post = take_posted(loop, false), *next; post != NULL; post = next) {
        next = post->next;
        atomic_fetch_sub(&loop->backlog, 1);
        post->call(loop, post->user);
        free(post);
    }
}

/* ---- descriptors ---- */

static bool make_room(struct sd_loop *loop, int fd) {
    if ((size_t)fd < loop->watch_room)
        return true;
    size_t room = ((size_t)fd + 1) * 2;
    struct watch **watches = realloc(loop->watches, room * sizeof(struct watch *));
    if (watches == NULL)
        return false;
    memset(watches + loop->watch_room, 0, (room - loop->watch_room) * sizeof(struct watch *));
    loop->watches = watches;
    loop->watch_room = room;
    return true;
}

static struct watch *find_watch(const struct sd_loop *loop, int fd) {
    return fd >= 0 && (size_t)fd < loop->watch_room ? loop->watches[fd] : NULL;
}

bool sd_loop_watch(struct sd_loop *loop, int fd, uint32_t events, sd_loop_ready *ready, void *user,
                   struct sd_error *error) {
    struct watch *watch = malloc(sizeof *watch);
    if (watch == NULL || !make_room(loop, fd)) {
        free(watch);
        return sd_fail_busy(error, "no_memory", 1, "no memory to watch a descriptor");
    }
    *watch = (struct watch){fd, ready, user, NULL};
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(watch);
        return sd_fail_busy(error, "no_watch", 1, "loop %s: %s", loop->name, strerror(errno));
    }
    loop->watches[fd] = watch;
    return true;
}

bool sd_loop_rewatch(struct sd_loop *loop, int fd, uint32_t events) {
    struct watch *watch = find_watch(loop, fd);
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return watch != NULL && epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) == 0;
}

void sd_loop_unwatch(struct sd_loop *loop, int fd) {
    struct watch *watch = find_watch(loop, fd);
    if (watch == NULL)
        return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    loop->watches[fd] = NULL;
    watch->fd = -1; /* an event of it may be among those of this round */
    watch->next = loop->dropped;
    loop->dropped = watch;
}

static void dispatch(struct sd_loop *loop, const struct epoll_event *event) {
    struct watch *watch = event->data.ptr;
    if (watch != NULL && watch->fd >= 0)
        watch->ready(loop, event->events, watch->user);
    else if (watch == NULL && sd_wakeup_clear(loop->wake))
        run_posted(loop);
}

/* ---- timers ---- */

/* From the end: most are for about as long as those before them. */
static void link_timer(struct sd_loop *loop, struct sd_timer *timer) {
    struct sd_timer *before = loop->last;
    while (before != NULL && before->at_ms > timer->at_ms)
        before = before->before;
    timer->before = before;
    timer->next = before == NULL ? loop->first : before->next;
    *(before == NULL ? &loop->first : &before->next) = timer;
    *(timer->next == NULL ? &loop->last : &timer->next->before) = timer;
    timer->linked = true;
}

static void unlink_timer(struct sd_loop *loop, struct sd_timer *timer) {
    *(timer->before == NULL ? &loop->first : &timer->before->next) = timer->next;
    *(timer->next == NULL ? &loop->last : &timer->next->before) = timer->before;
    timer->linked = false;
}

struct sd_timer *sd_loop_timer(struct sd_loop *loop, int32_t ms, int32_t every_ms, sd_loop_call *call,
                               void *user, struct sd_error *error) {
    struct sd_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a timer");
        return NULL;
    }
    timer->at_ms = sd_now_ms() + ms;
    timer->every_ms = every_ms;
    timer->call = call;
    timer->user = user;
    link_timer(loop, timer);
    return timer;
}

void sd_timer_cancel(struct sd_loop *loop, struct sd_timer *timer) {
    if (timer->linked)
        unlink_timer(loop, timer);
    timer->cancelled = true;
    if (!timer->running)
        free(timer);
}

/* A timer that was late comes once, not as often as it should have. */
static void run_timer(struct sd_loop *loop, struct sd_timer *timer) {
    unlink_timer(loop, timer);
    timer->running = true;
    timer->call(loop, timer->user);
    timer->running = false;
    if (timer->cancelled || timer->every_ms == 0) {
        free(timer);
        return;
    }
    timer->at_ms = sd_now_ms() + timer->every_ms;
    link_timer(loop, timer);
}

static void run_timers(struct sd_loop *loop) {
    int64_t now = sd_now_ms();
    while (loop->first != NULL && loop->first->at_ms <= now && !atomic_load(&loop->stopping))
        run_timer(loop, loop->first);
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
    run_timers(loop);
    free_dropped(loop);
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
