/* reverse-order: an operation counts itself while it still holds its connection, so
 * manager.metrics (11) is asked for under session.operation (40).  A page of figures that
 * looks, with the figures locked, whether the connection is busy goes the right way; when
 * both come at once, each waits for the other.
 *
 * Found: level-violation, at the first such count, whether or not anybody else is there.
 * Refused here (LG_REFUSE), the count is dropped and the operation goes on.
 * Without Lockgraph: both hang until their lock_timeout. */
#include "inject_list.h"
#include "inject_stage.h"
#include "timed.h"

static void send_and_count(struct sd_stage_actor *actor) {
    struct sd_session_locks *session = sd_session_locks(actor->first);
    if (!(actor->done = sd_lock(&session->operation, &actor->error)))
        return;
    sd_stage_meet(actor);
    /* As sd_metrics_count does; session.c gives session.operation up before that. */
    actor->done = sd_lock(&actor->service->locks.metrics, &actor->error);
    if (actor->done)
        sd_unlock(&actor->service->locks.metrics);
    sd_unlock(&session->operation);
}

static void page_of_figures(struct sd_stage_actor *actor) {
    struct sd_session_locks *session = sd_session_locks(actor->first);
    if (!(actor->done = sd_lock(&actor->service->locks.metrics, &actor->error)))
        return;
    sd_stage_meet(actor);
    actor->done = sd_lock(&session->operation, &actor->error);
    if (actor->done)
        sd_unlock(&session->operation);
    sd_unlock(&actor->service->locks.metrics);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    _Atomic int met = 0;
    struct sd_session *session = sd_stage_session(service, 1, error);
    if (session == NULL)
        return false;
    struct sd_stage_actor actors[] = {
        {.act = send_and_count, .service = service, .first = session, .met = &met, .all = 2},
        {.act = page_of_figures, .service = service, .first = session, .met = &met, .all = 2}};
    lg_on_violation(LG_REFUSE);
    bool done = sd_stage_play("reverse-order", actors, 2, error);
    lg_on_violation(LG_DEFAULT);
    sd_session_release(session);
    return done;
}

const struct sd_injection sd_inject_reverse_order = {
    "reverse-order", "level-violation", "error",
    "an operation and the page of figures hang, and time out after lock_timeout", run};
