#include "inject_stage.h"

#include "clock.h"
#include "line.h"
#include "log.h"
#include "threads.h"

enum { MEET_MS = 3000, LOOK_MS = 2, ANSWER_MS = 5000, HEARTBEAT_MS = 5000, ACTORS = 8 };

struct sd_session *sd_stage_session(struct sd_service *service, uint64_t id, struct sd_error *error) {
    return sd_session_create(&service->world, id, SD_USER_NONE, "stage", service->config->peer_host,
                             service->config->peer_port, error);
}

void sd_stage_meet(struct sd_stage_actor *actor) {
    int64_t until_ms = sd_now_ms() + MEET_MS;
    atomic_fetch_add(actor->met, 1);
    while (atomic_load(actor->met) < actor->all && sd_left_ms(until_ms) > 0)
        sd_cancel_pause(NULL, LOOK_MS);
}

static void act(void *of) {
    struct sd_stage_actor *actor = of;
    actor->act(actor);
}

bool sd_stage_play(const char *name, struct sd_stage_actor *actors, size_t count, struct sd_error *error) {
    struct sd_thread *threads[ACTORS];
    size_t started = 0;
    bool done = true;
    while (started < count &&
           (threads[started] = sd_thread_start(name, act, &actors[started], error)) != NULL)
        started++;
    for (size_t at = 0; at < started; at++)
        sd_thread_join(threads[at]);
    if (started < count)
        return false;
    for (size_t at = 0; at < count; at++) {
        if (actors[at].done)
            continue;
        sd_log(SD_LOG_ERROR, "%s: %s", name, actors[at].error.text);
        *error = actors[at].error;
        done = false;
    }
    return done;
}

static bool begin(struct sd_loop *loop, void *of, struct sd_error *error) {
    struct sd_stage_peer *peer = of;
    peer->peer = sd_peer_start(loop, "127.0.0.1", &peer->port, 1, peer->delay_ms, error);
    return peer->peer != NULL;
}

static void end(struct sd_loop *loop, void *of) {
    struct sd_stage_peer *peer = of;
    (void)loop;
    sd_peer_stop(peer->peer);
}

bool sd_stage_peer_start(struct sd_stage_peer *peer, int32_t delay_ms, struct sd_error *error) {
    *peer = (struct sd_stage_peer){.delay_ms = delay_ms};
    peer->thread = sd_loop_thread_start("slow-peer", HEARTBEAT_MS, begin, end, peer, error);
    return peer->thread != NULL;
}

void sd_stage_peer_stop(struct sd_stage_peer *peer) { sd_loop_thread_stop(peer->thread); }

bool sd_stage_peer_ask(const struct sd_stage_peer *peer, struct sd_error *error) {
    char answer[SD_LINE];
    struct sd_line *line = sd_line_connect("127.0.0.1", peer->port, ANSWER_MS, NULL, error);
    if (line == NULL)
        return false;
    bool asked = sd_line_ask(line, "HELLO stage", answer, ANSWER_MS, NULL, error);
    sd_line_close(line);
    return asked;
}
