/* forgotten-unlock: a thread that adds an entry returns where there is no room, with
 * session.task (50) still held, and is gone.
 *
 * Found: thread-exit-held, with the place where it was taken.
 * Without Lockgraph: all who ask for it from then on wait until their limit, for ever. */
#include "inject_list.h"
#include "inject_stage.h"
#include "timed.h"

enum { LOOK_MS = 1500 };

static bool add_entry(struct sd_session_locks *session, bool room, struct sd_error *error) {
    if (!sd_lock(&session->task, error))
        return false;
    if (!room)
        return sd_fail_busy(error, "session_busy", 1, "too many wait"); /* right: unlock first */
    sd_unlock(&session->task);
    return true;
}

static void submit(struct sd_stage_actor *actor) {
    struct sd_error refused;
    actor->done = !add_entry(sd_session_locks(actor->first), false, &refused);
}

/* As sd_session_view, but with less patience. */
static void look(struct sd_stage_actor *actor) {
    struct sd_session_locks *session = sd_session_locks(actor->first);
    actor->done = sd_lock_within(&session->task, LOOK_MS, &actor->error);
    if (actor->done)
        sd_unlock(&session->task);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    struct sd_session *session = sd_stage_session(service, 1, error);
    if (session == NULL)
        return false;
    struct sd_stage_actor first = {.act = submit, .first = session};
    struct sd_stage_actor second = {.act = look, .first = session};
    /* The session is not freed: nobody can, with its lock held. */
    return sd_stage_play("submit", &first, 1, error) && sd_stage_play("look", &second, 1, error);
}

const struct sd_injection sd_inject_forgotten_unlock = {
    "forgotten-unlock", "thread-exit-held", "error",
    "every later look at a session times out, with nobody there who holds its lock", run};
