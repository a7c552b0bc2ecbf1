/* held-over-io: to fill the view of a session the peer is asked how long its history is,
 * with session.task (50) held, which is for a few instructions only.  The peer is slow
 * today.
 *
 * Found: blocked-under-lock, with the lock and the call that blocks.
 * Without Lockgraph: every look at the session, and each end of an operation, takes as long
 * as the peer. */
#include "clock.h"
#include "inject_list.h"
#include "inject_stage.h"
#include "log.h"
#include "threads.h"
#include "timed.h"

enum { DELAY_MS = 1500, SLOW_MS = 500 };

static struct sd_stage_peer slow_peer;

static void view_with_history(struct sd_stage_actor *actor) {
    struct sd_session_locks *session = sd_session_locks(actor->first);
    if (!(actor->done = sd_lock(&session->task, &actor->error)))
        return;
    sd_stage_meet(actor);
    actor->done = sd_stage_peer_ask(&slow_peer, &actor->error);
    sd_unlock(&session->task);
}

/* Somebody else, who only wants to look. */
static void view(struct sd_stage_actor *actor) {
    struct sd_session_view seen;
    sd_stage_meet(actor);
    int64_t began_ms = sd_now_ms();
    actor->done = sd_session_view(actor->first, &seen, sd_timed_limit_ms(), &actor->error);
    int64_t took_ms = sd_now_ms() - began_ms;
    if (took_ms > SLOW_MS)
        actor->done =
            sd_fail_busy(&actor->error, "slow", 1, "a look at the session took %lld ms", (long long)took_ms);
}

static bool play(struct sd_service *service, struct sd_error *error) {
    _Atomic int met = 0;
    struct sd_session *session = sd_stage_session(service, 1, error);
    if (session == NULL)
        return false;
    struct sd_stage_actor actors[] = {{.act = view_with_history, .first = session, .met = &met, .all = 2},
                                      {.act = view, .first = session, .met = &met, .all = 2}};
    bool done = sd_stage_play("held-over-io", actors, 2, error);
    sd_session_release(session);
    return done;
}

static bool run(struct sd_service *service, struct sd_error *error) {
    if (!sd_stage_peer_start(&slow_peer, DELAY_MS, error))
        return false;
    bool done = play(service, error);
    sd_stage_peer_stop(&slow_peer);
    return done;
}

const struct sd_injection sd_inject_held_over_io = {"held-over-io", "blocked-under-lock", "warning",
                                                    "a look at a session takes as long as its slow peer",
                                                    run};
