#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum {
    HEAD_ROOM = 4096, /* of an answer's head and the beginning of its body */
    EVENTS = 256,
    STUCK_US = 15 * 1000000,
    SLOW_BYTES = 12, /* a tick */
    TICKS_A_SECOND = 20
};

enum role { ORDINARY, SLOW, SUBSCRIBER, DEAF, PASSING };
enum cut { NO_CUT, CUT_WHILE_SENDING, CUT_WHEN_SENT, CUT_WHILE_READING, CUTS };

struct client {
    enum role role;
    int fd; /* -1: none */
    bool busy, stuck;
    enum cut cut;
    enum asked asked;
    size_t user;
    char out[REQUEST_ROOM];
    size_t out_length, out_sent;
    char in[HEAD_ROOM + 1];
    size_t in_kept, in_all, in_wanted; /* wanted 0: the head is not whole */
    int status;
    int64_t began_us, leaves_us;
};

struct clients {
    const struct options *options;
    struct figures *figures;
    struct user users[MOST_TOKENS];
    struct client *all, **idle;
    size_t count, idle_first, idle_count, passing_due; /* idle: a ring, so that all are used */
    int epoll;
    bool finishing;
    struct sockaddr_storage address;
    socklen_t address_length;
};

/* --- connections */

static void hang_up(struct client *client, bool rudely) {
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    if (client->fd < 0)
        return;
    if (rudely)
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(client->fd);
    client->fd = -1;
}

static bool call_up(struct clients *clients, struct client *client) {
    const int one = 1, few = 4096;
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = client}};
    client->fd = socket(clients->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return false;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (client->role == DEAF)
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
    int result = connect(client->fd, (struct sockaddr *)&clients->address, clients->address_length);
    if ((result == 0 || errno == EINPROGRESS) &&
        epoll_ctl(clients->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0)
        return true;
    hang_up(client, false);
    return false;
}

static void rest(struct clients *clients, struct client *client) {
    client->busy = client->stuck = false;
    if (client->role == ORDINARY)
        clients->idle[(clients->idle_first + clients->idle_count++) % (size_t)clients->options->connections] =
            client;
}

static void broke(struct clients *clients, struct client *client) {
    bool was_busy = client->busy;
    hang_up(client, false);
    if (!was_busy)
        return;
    if (client->role == ORDINARY || client->role == SLOW)
        clients->figures->errors++;
    if (client->asked == ASKED_SESSION)
        clients->users[client->user].opening = false;
    rest(clients, client);
}

/* The client goes away as it meant to. */
static void cut(struct clients *clients, struct client *client) {
    clients->figures->killed++;
    if (client->asked == ASKED_SESSION)
        clients->users[client->user].opening = false;
    hang_up(client, mix_random(2) == 0);
    rest(clients, client);
}

/* --- sending and reading */

static void send_some(struct clients *clients, struct client *client) {
    size_t left = client->out_length - client->out_sent;
    if (client->role == SLOW && left > SLOW_BYTES)
        left = SLOW_BYTES;
    if (client->cut == CUT_WHILE_SENDING)
        left /= 2;
    if (left > 0) {
        ssize_t sent = send(client->fd, client->out + client->out_sent, left, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != ENOTCONN)
            broke(clients, client);
        if (sent <= 0)
            return;
        client->out_sent += (size_t)sent;
    }
    if (client->cut == CUT_WHILE_SENDING ||
        (client->cut == CUT_WHEN_SENT && client->out_sent == client->out_length))
        cut(clients, client);
}

static void keep(struct client *client, const char *bytes, size_t length) {
    client->in_all += length;
    if (length > HEAD_ROOM - client->in_kept)
        length = HEAD_ROOM - client->in_kept;
    memcpy(client->in + client->in_kept, bytes, length);
    client->in_kept += length;
    client->in[client->in_kept] = 0;
}

/* The head, as soon as it is whole, says how much is to come. */
static void look_at_head(struct client *client) {
    const char *end = strstr(client->in, "\r\n\r\n");
    const char *length = end == NULL ? NULL : strcasestr(client->in, "\r\nContent-Length:");
    if (end == NULL || client->in_wanted != 0)
        return;
    client->status = atoi(client->in + 9); /* after "HTTP/1.1 " */
    client->in_wanted = (size_t)(end + 4 - client->in);
    if (length != NULL && length < end)
        client->in_wanted += strtoul(length + 17, NULL, 10);
}

static void answered(struct clients *clients, struct client *client) {
    struct figures *figures = clients->figures;
    const char *body = strstr(client->in, "\r\n\r\n");
    figures->answered++;
    figures->statuses[client->status > 0 && client->status < 600 ? client->status : 0]++;
    if (client->role == SLOW)
        figures->slow_answered++;
    else
        sd_histogram_add(&figures->times, sd_now_us() - client->began_us);
    mix_learn(&clients->users[client->user], client->asked, client->status, body);
    if (strcasestr(client->in, "\r\nConnection: close") != NULL)
        hang_up(client, false);
    rest(clients, client);
}

static size_t count_events(const char *bytes, size_t length) {
    size_t count = 0;
    for (const char *at = bytes; (at = memmem(at, length - (size_t)(at - bytes), "event:", 6)) != NULL;
         at += 6)
        count++;
    return count;
}

/* Of a subscriber; its first bytes are the head. */
static void hear(struct clients *clients, struct client *client, const char *bytes, size_t length) {
    if (client->status == 0) {
        keep(client, bytes, length);
        look_at_head(client);
        if (client->status == 200)
            clients->figures->subscribed++;
        else if (client->status != 0)
            clients->figures->refused_subscribers++;
    }
    clients->figures->events += count_events(bytes, length);
}

static void read_some(struct clients *clients, struct client *client) {
    char bytes[16384];
    size_t room = client->role == SLOW ? SLOW_BYTES * 8 : sizeof bytes;
    ssize_t length;
    while (client->fd >= 0 && (length = recv(client->fd, bytes, room, 0)) > 0) {
        if (client->role == SUBSCRIBER) {
            hear(clients, client, bytes, (size_t)length);
            continue;
        }
        keep(client, bytes, (size_t)length);
        look_at_head(client);
        if (client->busy && client->cut == CUT_WHILE_READING) {
            cut(clients, client);
            return;
        }
        if (client->in_wanted != 0 && client->in_all >= client->in_wanted) {
            answered(clients, client);
            return;
        }
        if (client->role == SLOW)
            return; /* the rest at the next tick */
    }
    if (client->fd >= 0 && (length == 0 || (errno != EAGAIN && errno != ENOTCONN)))
        broke(clients, client);
}

/* --- requests */

static bool begin(struct clients *clients, struct client *client, size_t user) {
    client->user = user;
    client->out_sent = client->in_kept = client->in_all = client->in_wanted = 0;
    client->in[0] = 0;
    client->status = 0;
    client->cut = NO_CUT;
    client->busy = true;
    client->began_us = sd_now_us();
    if (client->role == ORDINARY || client->role == SLOW)
        client->out_length =
            mix_request(clients->options, user, &clients->users[user], client->out, &client->asked);
    else
        client->out_length = mix_subscription(clients->options, user, client->out);
    if (client->role == ORDINARY && (int)mix_random(100) < clients->options->kills_percent)
        client->cut = (enum cut)(1 + mix_random(CUTS - 1));
    if (client->fd < 0 && !call_up(clients, client)) {
        broke(clients, client);
        return false;
    }
    send_some(clients, client);
    return true;
}

bool clients_request(struct clients *clients, size_t user) {
    if (clients->idle_count == 0)
        return false;
    struct client *client = clients->idle[clients->idle_first];
    clients->idle_first = (clients->idle_first + 1) % (size_t)clients->options->connections;
    clients->idle_count--;
    clients->figures->sent++;
    begin(clients, client, user);
    return true;
}

static void ready(struct clients *clients, struct client *client, uint32_t events) {
    if (client->role == SLOW || client->fd < 0)
        return; /* at its ticks */
    if ((events & EPOLLOUT) != 0 && client->busy && client->out_sent < client->out_length)
        send_some(clients, client);
    bool over = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (client->role == DEAF || client->role == PASSING) {
        if (over)
            hang_up(client, false);
    } else if (client->fd >= 0 && (over || (events & EPOLLIN) != 0))
        read_some(clients, client);
    if (client->role == SUBSCRIBER && client->fd < 0)
        client->busy = false;
}

void clients_wait(struct clients *clients, int ms) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(clients->epoll, events, EVENTS, ms);
    for (int i = 0; i < count; i++)
        ready(clients, events[i].data.ptr, events[i].events);
}

/* --- those who are not ordinary */

static void go_on_slowly(struct clients *clients, struct client *client) {
    if (!client->busy && !clients->finishing) {
        clients->figures->sent++;
        begin(clients, client, mix_random((unsigned)clients->options->token_count));
    } else if (client->busy && client->out_sent < client->out_length)
        send_some(clients, client);
    if (client->busy && client->fd >= 0)
        read_some(clients, client);
}

static void pass_by(struct clients *clients, struct client *client, int64_t now) {
    if (client->fd >= 0 && now >= client->leaves_us) {
        hang_up(client, mix_random(2) == 0);
        clients->figures->abandoned++;
    }
    if (client->fd >= 0 || clients->passing_due < TICKS_A_SECOND || clients->finishing)
        return;
    clients->passing_due -= TICKS_A_SECOND;
    client->leaves_us = now + mix_random(800000);
    begin(clients, client, mix_random((unsigned)clients->options->token_count));
}

void clients_tick(struct clients *clients) {
    int64_t now = sd_now_us();
    clients->passing_due += (size_t)clients->options->abandoned_per_second;
    for (size_t i = 0; i < clients->count; i++) {
        struct client *client = &clients->all[i];
        if (client->role == SLOW)
            go_on_slowly(clients, client);
        else if (client->role == PASSING)
            pass_by(clients, client, now);
        else if (client->role != ORDINARY && client->fd < 0 && !clients->finishing &&
                 now - client->began_us > 1000000)
            begin(clients, client, mix_random((unsigned)clients->options->token_count));
    }
}

size_t clients_outstanding(struct clients *clients) {
    int64_t now = sd_now_us();
    size_t outstanding = 0;
    for (size_t i = 0; i < clients->count; i++) {
        struct client *client = &clients->all[i];
        if (!client->busy || (client->role != ORDINARY && client->role != SLOW))
            continue;
        outstanding++;
        int64_t limit = client->role == SLOW ? 4 * (int64_t)STUCK_US : STUCK_US;
        if (!client->stuck && now - client->began_us > limit) {
            client->stuck = true;
            clients->figures->stuck++;
        }
    }
    return outstanding;
}

void clients_finish(struct clients *clients) { clients->finishing = true; }

/* --- */

static void read_address(struct clients *clients) {
    struct sockaddr_in *four = (struct sockaddr_in *)&clients->address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&clients->address;
    clients->address_length = sizeof *four;
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)clients->options->port);
    if (inet_pton(AF_INET, clients->options->host, &four->sin_addr) == 1)
        return;
    clients->address_length = sizeof *six;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)clients->options->port);
    inet_pton(AF_INET6, clients->options->host, &six->sin6_addr);
}

static void add(struct clients *clients, enum role role, int count) {
    for (int i = 0; i < count; i++) {
        struct client *client = &clients->all[clients->count++];
        client->role = role;
        client->fd = -1;
        if (role == ORDINARY)
            rest(clients, client);
    }
}

struct clients *clients_create(const struct options *options, struct figures *figures) {
    struct clients *clients = calloc(1, sizeof *clients);
    size_t count = (size_t)options->connections + (size_t)options->slow + (size_t)options->subscribers +
                   (size_t)options->deaf + (size_t)options->abandoned_per_second;
    if (clients == NULL)
        abort();
    clients->options = options;
    clients->figures = figures;
    clients->all = calloc(count, sizeof *clients->all);
    clients->idle = calloc(count, sizeof(struct client *));
    clients->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (clients->all == NULL || clients->idle == NULL || clients->epoll < 0)
        abort();
    read_address(clients);
    add(clients, ORDINARY, options->connections);
    add(clients, SLOW, options->slow);
    add(clients, SUBSCRIBER, options->subscribers);
    add(clients, DEAF, options->deaf);
    add(clients, PASSING, options->abandoned_per_second);
    return clients;
}

void clients_destroy(struct clients *clients) {
    for (size_t i = 0; i < clients->count; i++)
        hang_up(&clients->all[i], false);
    close(clients->epoll);
    free(clients->idle);
    free(clients->all);
    free(clients);
}
