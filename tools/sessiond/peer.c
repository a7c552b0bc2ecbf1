#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "line.h"
#include "peer_rooms.h"
#include "stream.h"
#include "text.h"

enum { MOST_PAGE = 1000, MOST_UNSENT = 4 << 20 };

struct client {
    struct sd_peer *peer;
    struct client *next, *before;
    int fd;
    struct sd_room *room; /* NULL: no HELLO yet */
    char name[64];
    bool monitors, ends;    /* ends: once all is sent */
    int64_t events;         /* since MONITOR */
    struct sd_timer *delay; /* an answer is to come: nothing is read meanwhile */
    char read[SD_LINE];
    size_t length; /* of read */
    struct sd_text unsent;
    size_t sent; /* of unsent */
};

struct sd_peer {
    struct sd_loop *loop;
    struct sd_rooms *rooms;
    struct client *clients;
    int fd;
    int32_t delay_ms;
};

/* ---- a connection's end, and what is still to be sent ---- */

static void drop(struct client *client) {
    if (client->delay != NULL)
        sd_timer_cancel(client->peer->loop, client->delay);
    sd_loop_unwatch(client->peer->loop, client->fd);
    close(client->fd);
    if (client->before != NULL)
        client->before->next = client->next;
    else
        client->peer->clients = client->next;
    if (client->next != NULL)
        client->next->before = client->before;
    sd_text_free(&client->unsent);
    free(client);
}

/* What is waited for: input, unless an answer is to come first; room for output. */
static void rewatch(struct client *client) {
    uint32_t events = client->delay == NULL && !client->ends ? (uint32_t)EPOLLIN : 0;
    if (client->unsent.length > client->sent)
        events |= EPOLLOUT;
    sd_loop_rewatch(client->peer->loop, client->fd, events);
}

/* false: it is gone. */
static bool flush(struct client *client) {
    while (client->sent < client->unsent.length) {
        ssize_t sent = send(client->fd, client->unsent.bytes + client->sent,
                            client->unsent.length - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            break;
        client->sent += (size_t)sent;
    }
    bool all = client->sent == client->unsent.length;
    bool lost = !all && errno != EAGAIN;
    if (all) {
        sd_text_clear(&client->unsent);
        client->sent = 0;
    }
    if (!lost && !client->unsent.failed && client->unsent.length - client->sent <= MOST_UNSENT &&
        !(all && client->ends))
        return true;
    drop(client);
    return false;
}

/* ---- the commands ---- */

static void hello(struct client *client, const char *name) {
    sd_copy(client->name, sizeof client->name, name);
    client->room = sd_rooms_find(client->peer->rooms, client->name);
    if (client->room == NULL)
        sd_text_add(&client->unsent, "ERROR no room\n");
    else
        sd_text_format(&client->unsent, "OK %lld\n", (long long)sd_room_length(client->room));
}

static void page(struct client *client, const char *arguments) {
    long long from, count;
    int64_t length = sd_room_length(client->room);
    if (sscanf(arguments, "%lld %lld", &from, &count) != 2 || from < 0 || count < 1 || count > MOST_PAGE) {
        sd_text_add(&client->unsent, "ERROR bad page\n");
        return;
    }
    int64_t end = from > length - count ? length : from + count;
    for (int64_t number = from; number < end; number++)
        sd_room_write(client->room, "MESSAGE", number, &client->unsent);
    sd_text_format(&client->unsent, "END %lld\n", (long long)(end < from ? from : end));
}

/* Those it cannot be sent to are found out at their next turn. */
static void tell_monitors(struct client *sender, int64_t number) {
    for (struct client *client = sender->peer->clients; client != NULL; client = client->next) {
        if (!client->monitors || client->room != sender->room)
            continue;
        sd_room_write(client->room, "EVENT", number, &client->unsent);
        client->events++;
        rewatch(client);
    }
}

static void send_message(struct client *client, const char *text) {
    int64_t number = sd_room_add(client->room, client->name, text);
    if (number < 0) {
        sd_text_add(&client->unsent, "ERROR no memory\n");
        return;
    }
    sd_text_format(&client->unsent, "OK %lld\n", (long long)number);
    tell_monitors(client, number);
}

static void monitor(struct client *client) {
    client->monitors = true;
    client->events = 0;
}

static void stop(struct client *client) {
    client->monitors = false;
    sd_text_format(&client->unsent, "END %lld\n", (long long)client->events);
}

static void obey(struct client *client, const char *line) {
    if (strncmp(line, "HELLO ", 6) == 0) {
        hello(client, line + 6);
    } else if (strcmp(line, "QUIT") == 0) {
        sd_text_add(&client->unsent, "BYE\n");
        client->ends = true;
    } else if (client->room == NULL) {
        sd_text_add(&client->unsent, "ERROR say HELLO first\n");
    } else if (strncmp(line, "PAGE ", 5) == 0) {
        page(client, line + 5);
    } else if (strncmp(line, "SEND ", 5) == 0) {
        send_message(client, line + 5);
    } else if (strcmp(line, "MONITOR") == 0) {
        monitor(client);
    } else if (strcmp(line, "STOP") == 0) {
        stop(client);
    } else {
        sd_text_add(&client->unsent, "ERROR unknown command\n");
    }
}

/* ---- lines ---- */

/* The first whole line of what was read is taken out and obeyed. */
static bool obey_first(struct client *client) {
    char line[SD_LINE];
    char *end = memchr(client->read, '\n', client->length);
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - client->read);
    memcpy(line, client->read, length);
    line[length] = 0;
    client->length -= length + 1;
    memmove(client->read, end + 1, client->length);
    obey(client, line);
    return true;
}

static void answer_later(struct sd_loop *loop, void *of);

/* Goes through what was read, or puts that off where answers are delayed. */
static void go_on(struct client *client) {
    int32_t delay_ms = client->peer->delay_ms;
    while (delay_ms == 0 && obey_first(client))
        continue;
    if (delay_ms > 0 && client->delay == NULL && memchr(client->read, '\n', client->length) != NULL)
        client->delay = sd_loop_timer(client->peer->loop, delay_ms, 0, answer_later, client, NULL);
    if (client->length == sizeof client->read) {
        sd_text_add(&client->unsent, "ERROR the line is too long\n");
        client->ends = true;
    }
    if (flush(client))
        rewatch(client);
}

static void answer_later(struct sd_loop *loop, void *of) {
    struct client *client = of;
    (void)loop;
    client->delay = NULL;
    obey_first(client);
    go_on(client);
}

static void ready(struct sd_loop *loop, uint32_t events, void *of) {
    struct client *client = of;
    (void)loop;
    if ((events & EPOLLOUT) != 0 && !flush(client))
        return;
    if ((events & EPOLLIN) != 0 && client->length < sizeof client->read) {
        ssize_t got = recv(client->fd, client->read + client->length, sizeof client->read - client->length,
                           MSG_DONTWAIT);
        if (got > 0)
            client->length += (size_t)got;
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            drop(client);
            return;
        }
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        drop(client);
        return;
    }
    go_on(client);
}

static void welcome(struct sd_loop *loop, uint32_t events, void *of) {
    struct sd_peer *peer = of;
    (void)events;
    int fd = accept4(peer->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL || !sd_loop_watch(loop, fd, EPOLLIN, ready, client, NULL)) {
        free(client);
        close(fd);
        return;
    }
    client->peer = peer;
    client->fd = fd;
    client->next = peer->clients;
    if (client->next != NULL)
        client->next->before = client;
    peer->clients = client;
}

/* ---- the peer ---- */

struct sd_peer *sd_peer_start(struct sd_loop *loop, const char *host, int *port, int64_t history,
                              int32_t delay_ms, struct sd_error *error) {
    struct sd_peer *peer = calloc(1, sizeof *peer);
    struct sd_rooms *rooms = sd_rooms_create(history);
    if (peer == NULL || rooms == NULL) {
        free(peer);
        free(rooms);
        sd_fail_busy(error, "no_memory", 1, "no memory for a peer");
        return NULL;
    }
    *peer = (struct sd_peer){.loop = loop, .rooms = rooms, .delay_ms = delay_ms};
    peer->fd = sd_stream_listen(host, port, error);
    if (peer->fd >= 0 && sd_loop_watch(loop, peer->fd, EPOLLIN, welcome, peer, error))
        return peer;
    if (peer->fd >= 0)
        close(peer->fd);
    sd_rooms_destroy(rooms);
    free(peer);
    return NULL;
}

void sd_peer_stop(struct sd_peer *peer) {
    while (peer->clients != NULL)
        drop(peer->clients);
    sd_loop_unwatch(peer->loop, peer->fd);
    close(peer->fd);
    sd_rooms_destroy(peer->rooms);
    free(peer);
}
