/* three-way: messages are moved from one session to another, and both places are locked in
 * the order in which the request names them instead of by ascending id.  Three such moves
 * at once, 1 to 2, 2 to 3 and 3 to 1, wait for each other in a ring.
 *
 * Found: level-violation of the one that takes 1 under 3, and the deadlock of all three.
 * Without Lockgraph: the three sessions hang until lock_timeout. */
#include "inject_list.h"
#include "inject_stage.h"
#include "timed.h"

enum { SESSIONS = 3 };

static void move_messages(struct sd_stage_actor *actor) {
    struct sd_session_locks *from = sd_session_locks(actor->first), *to = sd_session_locks(actor->second);
    if (!(actor->done = sd_lock(&from->place, &actor->error)))
        return;
    sd_stage_meet(actor);
    actor->done = sd_lock(&to->place, &actor->error); /* right: the lesser id first */
    if (actor->done)
        sd_unlock(&to->place);
    sd_unlock(&from->place);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    _Atomic int met = 0;
    struct sd_session *sessions[SESSIONS] = {NULL};
    struct sd_stage_actor actors[SESSIONS] = {{0}};
    bool done = true;
    for (uint64_t at = 0; at < SESSIONS && done; at++)
        done = (sessions[at] = sd_stage_session(service, at + 1, error)) != NULL;
    for (int at = 0; at < SESSIONS; at++)
        actors[at] = (struct sd_stage_actor){.act = move_messages,
                                             .first = sessions[at],
                                             .second = sessions[(at + 1) % SESSIONS],
                                             .met = &met,
                                             .all = SESSIONS};
    done = done && sd_stage_play("three-way", actors, SESSIONS, error);
    for (int at = 0; at < SESSIONS; at++)
        if (sessions[at] != NULL)
            sd_session_release(sessions[at]);
    return done;
}

const struct sd_injection sd_inject_three_way = {"three-way", "deadlock", "error",
                                                 "three sessions hang, and time out after lock_timeout", run};
