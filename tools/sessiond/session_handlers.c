/* A session's event handlers: the table under locks.handler (60), the calls without it. */
#include <string.h>

#include "session_private.h"
#include "timed.h"

bool sd_session_add_handler(struct sd_session *session, sd_event_handler *handler, void *user, uint64_t *id,
                            struct sd_error *error) {
    size_t at = 0;
    if (!sd_lock(&session->locks.handler, error))
        return false;
    while (at < SD_SESSION_HANDLERS && session->handlers[at].handler != NULL)
        at++;
    if (at < SD_SESSION_HANDLERS) {
        *id = ++session->last_handler;
        session->handlers[at] = (struct sd_session_handler){*id, handler, user};
    }
    sd_unlock(&session->locks.handler);
    return at < SD_SESSION_HANDLERS ||
           sd_fail_busy(error, "too_many_handlers", 1, "a session has at most %d", SD_SESSION_HANDLERS);
}

bool sd_session_remove_handler(struct sd_session *session, uint64_t id, struct sd_error *error) {
    bool found = false;
    if (!sd_lock(&session->locks.handler, error))
        return false;
    for (size_t at = 0; at < SD_SESSION_HANDLERS; at++)
        if (session->handlers[at].id == id) {
            session->handlers[at] = (struct sd_session_handler){0};
            found = true;
        }
    sd_unlock(&session->locks.handler);
    return found || sd_fail(error, 404, "no_handler", "there is no such handler");
}

void sd_session_call_handlers(struct sd_session *session, const char *sender, const char *text) {
    struct sd_session_handler copy[SD_SESSION_HANDLERS];
    if (!sd_lock(&session->locks.handler, NULL))
        return;
    memcpy(copy, session->handlers, sizeof copy);
    sd_unlock(&session->locks.handler);
    for (size_t at = 0; at < SD_SESSION_HANDLERS; at++)
        if (copy[at].handler != NULL)
            copy[at].handler(session, sender, text, copy[at].user);
}
