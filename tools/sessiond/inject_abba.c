/* abba: event handlers are called with the session's table of them locked, and one of them
 * asks how many operations wait: session.task (50) under session.handler (60).  Meanwhile
 * the end of an operation, with session.task held, removes its handler.
 *
 * Found: level-violation at the handler's question, and the deadlock when it happens.
 * Without Lockgraph: the session hangs until lock_timeout. */
#include "inject_list.h"
#include "inject_stage.h"
#include "timed.h"

/* sd_session_call_handlers copies the table, and calls with nothing of it held. */
static void call_handlers(struct sd_stage_actor *actor) {
    struct sd_session_locks *session = sd_session_locks(actor->first);
    struct sd_session_view view;
    if (!(actor->done = sd_lock(&session->handler, &actor->error)))
        return;
    sd_stage_meet(actor);
    /* a handler's own code */
    actor->done = sd_session_view(actor->first, &view, sd_timed_limit_ms(), &actor->error);
    sd_unlock(&session->handler);
}

static void end_operation(struct sd_stage_actor *actor) {
    struct sd_session_locks *session = sd_session_locks(actor->first);
    if (!(actor->done = sd_lock(&session->task, &actor->error)))
        return;
    sd_stage_meet(actor);
    struct sd_error none;
    actor->done = sd_session_remove_handler(actor->first, 0, &none) || none.status == 404;
    actor->error = none;
    sd_unlock(&session->task);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    _Atomic int met = 0;
    struct sd_session *session = sd_stage_session(service, 1, error);
    if (session == NULL)
        return false;
    struct sd_stage_actor actors[] = {{.act = call_handlers, .first = session, .met = &met, .all = 2},
                                      {.act = end_operation, .first = session, .met = &met, .all = 2}};
    bool done = sd_stage_play("abba", actors, 2, error);
    sd_session_release(session);
    return done;
}

const struct sd_injection sd_inject_abba = {
    "abba", "deadlock", "error",
    "a session hangs: its operations and looks at it time out after lock_timeout", run};
