/* A session's connection: made, made again, given up.  Under locks.operation (40), which is
 * what makes it one thread's; takes locks.task (50) to tell the state. */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "session_private.h"
#include "timed.h"

enum { TRIES = 5 };

void sd_session_set_state(struct sd_session *session, enum sd_session_state state) {
    if (!sd_lock(&session->locks.task, NULL))
        return;
    if (session->state != SD_SESSION_STOPPED)
        session->state = state;
    sd_unlock(&session->locks.task);
}

bool sd_session_ask(struct sd_work *work, const char *text, char answer[SD_LINE], struct sd_error *error) {
    return sd_line_ask(work->session->line, text, answer, work->session->world->config->peer_read_timeout_ms,
                       work->cancel, error);
}

static bool greet(struct sd_work *work, struct sd_error *error) {
    char line[SD_LINE], answer[SD_LINE];
    snprintf(line, sizeof line, "HELLO %s", work->session->name);
    return sd_session_ask(work, line, answer, error);
}

static bool connect_once(struct sd_work *work, struct sd_error *error) {
    struct sd_session *session = work->session;
    int32_t limit_ms = session->world->config->peer_connect_timeout_ms;
    session->line = sd_line_connect(session->host, session->port, limit_ms, work->cancel, error);
    if (session->line == NULL)
        return false;
    if (greet(work, error))
        return true;
    sd_line_close(session->line);
    session->line = NULL;
    return false;
}

static bool connect_with_pauses(struct sd_work *work, struct sd_error *error) {
    const struct sd_config *config = work->session->world->config;
    int32_t pause_ms = config->reconnect_first_ms;
    for (int tried = 1; !connect_once(work, error); tried++) {
        if (tried == TRIES || !sd_cancel_pause(work->cancel, pause_ms))
            return sd_cancel_check(work->cancel, error) && false;
        pause_ms = pause_ms > config->reconnect_most_ms / 2 ? config->reconnect_most_ms : pause_ms * 2;
    }
    return true;
}

static void connected(struct sd_work *work) {
    struct sd_session *session = work->session;
    work->reconnected = session->was_connected;
    session->was_connected = true;
    if (sd_lock(&session->locks.task, NULL)) {
        if (session->state != SD_SESSION_STOPPED)
            session->state = SD_SESSION_CONNECTED;
        session->reconnects += work->reconnected;
        sd_unlock(&session->locks.task);
    }
    sd_log(SD_LOG_INFO, "%s %s port %d", work->reconnected ? "connected again to" : "connected to",
           session->host, session->port);
}

void sd_session_drop_broken_line(struct sd_session *session) {
    if (session->line == NULL || !sd_line_broken(session->line))
        return;
    sd_line_close(session->line);
    session->line = NULL;
    sd_session_set_state(session, SD_SESSION_LOST);
}

bool sd_session_ensure_line(struct sd_work *work, struct sd_error *error) {
    struct sd_session *session = work->session;
    /* Between two operations the peer has nothing to say: this is the connection's end. */
    if (session->line != NULL && sd_line_wait(session->line, 0, NULL))
        sd_line_break(session->line);
    sd_session_drop_broken_line(session);
    if (session->line != NULL)
        return true;
    if (!connect_with_pauses(work, error)) {
        sd_session_set_state(session, SD_SESSION_LOST);
        return false;
    }
    connected(work);
    return true;
}
