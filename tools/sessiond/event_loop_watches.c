#include "event_loop_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

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

void sd_loop_free_dropped(struct sd_loop *loop) {
    struct watch *watch;
    while ((watch = loop->dropped) != NULL) {
        loop->dropped = watch->next;
        free(watch);
    }
}

void sd_loop_free_watches(struct sd_loop *loop) {
    for (size_t i = 0; i < loop->watch_room; i++)
        free(loop->watches[i]);
    free(loop->watches);
    sd_loop_free_dropped(loop);
}
