/* What the files of a session share; nobody else includes it. */
#ifndef SD_SESSION_PRIVATE_H
#define SD_SESSION_PRIVATE_H

#include <stdatomic.h>

#include "line.h"
#include "session.h"

/* A task of the session, from its submission to its end. */
struct sd_session_entry {
    const char *name;      /* a literal */
    bool running;          /* under locks.task: it has its slot; else it waits */
    _Atomic int how_ended; /* 0: it has not; else enum sd_session_how_ended */
    struct sd_session_entry *next;
};

enum sd_session_how_ended { SD_SESSION_SUCCEEDED = 1, SD_SESSION_FAILED };

struct sd_session_handler {
    uint64_t id;
    sd_event_handler *handler; /* NULL: none */
    void *user;
};
enum { SD_SESSION_HANDLERS = 16 };

struct sd_session {
    const struct sd_session_world *world;
    uint64_t id;
    int64_t user, created_ms;
    char name[SD_WORD], host[SD_WORD];
    int port;
    _Atomic int references;
    struct sd_session_locks locks;

    bool stopped; /* under locks.place */

    /* under locks.operation */
    struct sd_line *line; /* NULL: not connected */
    bool was_connected;

    /* under locks.task */
    struct sd_session_entry *entries;
    enum sd_session_state state;
    uint64_t completed, failed, reconnects;
    int64_t last_used_ms;

    /* under locks.handler */
    struct sd_session_handler handlers[SD_SESSION_HANDLERS];
    uint64_t last_handler;
};

/* What one operation has at hand; its thread's. */
struct sd_work {
    struct sd_session *session;
    const struct sd_operation *operation;
    struct sd_cancel *cancel;
    struct sd_text *result;
    bool reconnected; /* told to the metrics once nothing is held */
};

/* session_connection.c: under locks.operation.  A line that is broken, or says something
 * unasked, is closed; a new one is tried a few times with pauses that double. */
bool sd_session_ensure_line(struct sd_work *work, struct sd_error *error);
void sd_session_drop_broken_line(struct sd_session *session);
/* Takes locks.task; where that is not to be had the state stays as it was. */
void sd_session_set_state(struct sd_session *session, enum sd_session_state state);
/* One question and answer with the configured time limit. */
bool sd_session_ask(struct sd_work *work, const char *text, char answer[SD_LINE], struct sd_error *error);

/* session_handlers.c: calls each handler, with locks.handler held only to copy the table. */
void sd_session_call_handlers(struct sd_session *session, const char *sender, const char *text);

/* session_store.c: messages in the database. */
struct sd_message {
    int64_t number;
    char sender[SD_WORD], text[2048];
};
/* In one transaction; those that are stored already are left alone. */
bool sd_session_store(struct sd_work *work, const struct sd_message *messages, size_t count, int64_t *stored,
                      struct sd_error *error);
/* "<number> <sender> <text>" as the peer writes it, after its first word. */
bool sd_message_parse(const char *line, struct sd_message *message);

/* session_work.c, session_peer_work.c: an operation's own work, with its slot held and, where it
 * works on the connection, locks.operation and a line. */
typedef bool sd_session_work(struct sd_work *work, struct sd_error *error);
sd_session_work sd_work_scrape, sd_work_send, sd_work_monitor, sd_work_search, sd_work_score, sd_work_archive,
    sd_work_digest, sd_work_broadcast, sd_work_enqueue;

#endif
