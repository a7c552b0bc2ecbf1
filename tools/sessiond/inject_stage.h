/* What the injections share: sessions, a peer that is slow, threads that meet.  Nothing
 * here is wrong; what is wrong is in their own files.  Takes no locks itself. */
#ifndef SD_INJECT_STAGE_H
#define SD_INJECT_STAGE_H

#include <stdatomic.h>

#include "loop_thread.h"
#include "peer.h"
#include "service.h"

/* A session of nobody's that is not in the manager's table; sd_session_release. */
struct sd_session *sd_stage_session(struct sd_service *service, uint64_t id, struct sd_error *error);

/* Each is started on a thread, then all are joined: as long as they take. */
struct sd_stage_actor {
    void (*act)(struct sd_stage_actor *actor);
    struct sd_service *service;
    struct sd_session *first, *second; /* whatever it needs */
    _Atomic int *met;                  /* how many have arrived */
    int all;
    bool done; /* how it went, and why not */
    struct sd_error error;
};
/* false: one of them failed, with its error. */
bool sd_stage_play(const char *name, struct sd_stage_actor *actors, size_t count, struct sd_error *error);
/* Until all have arrived here; no longer than 3 s. */
void sd_stage_meet(struct sd_stage_actor *actor);

/* A peer within this process that takes `delay_ms` for each answer. */
struct sd_stage_peer {
    struct sd_loop_thread *thread;
    struct sd_peer *peer;
    int port;
    int32_t delay_ms;
};
bool sd_stage_peer_start(struct sd_stage_peer *peer, int32_t delay_ms, struct sd_error *error);
void sd_stage_peer_stop(struct sd_stage_peer *peer);
/* Asks it something, on a connection of its own. */
bool sd_stage_peer_ask(const struct sd_stage_peer *peer, struct sd_error *error);

#endif
