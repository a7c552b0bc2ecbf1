/* stall: a call on an event loop asks a peer and waits for the answer there, where nothing
 * may wait: all else that the loop has to do waits, too.
 *
 * Found: heartbeat-missed, with the stack of the loop's thread.
 * Without Lockgraph: whatever that loop serves is late. */
#include "clock.h"
#include "inject_list.h"
#include "inject_stage.h"
#include "log.h"

enum { DELAY_MS = 2500, HEARTBEAT_MS = 1000, LATE_MS = 500, LOOK_MS = 5, WAIT_MS = 5000 };

static struct sd_stage_peer slow_peer;

struct notices {
    struct sd_loop *loop;
    int64_t posted_ms;
    _Atomic int64_t late_ms; /* -1: not called yet */
};

static bool begin(struct sd_loop *loop, void *of, struct sd_error *error) {
    struct notices *notices = of;
    (void)error;
    notices->loop = loop;
    return true;
}

static void notify(struct sd_loop *loop, void *of) {
    struct sd_error error;
    (void)loop, (void)of;
    if (!sd_stage_peer_ask(&slow_peer, &error)) /* right: a task's work */
        sd_log(SD_LOG_WARNING, "%s", error.text);
}

static void next_notice(struct sd_loop *loop, void *of) {
    struct notices *notices = of;
    (void)loop;
    atomic_store(&notices->late_ms, sd_now_ms() - notices->posted_ms);
}

static bool play(struct notices *notices, struct sd_error *error) {
    int64_t until_ms = sd_now_ms() + WAIT_MS;
    notices->posted_ms = sd_now_ms();
    if (!sd_loop_post(notices->loop, notify, notices, error) ||
        !sd_loop_post(notices->loop, next_notice, notices, error))
        return false;
    while (atomic_load(&notices->late_ms) < 0 && sd_left_ms(until_ms) > 0)
        sd_cancel_pause(NULL, LOOK_MS);
    long long late_ms = (long long)atomic_load(&notices->late_ms);
    return (late_ms >= 0 && late_ms < LATE_MS) ||
           sd_fail_busy(error, "late", 1, "the next notice came after %lld ms", late_ms);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    static struct notices notices;
    (void)service;
    atomic_store(&notices.late_ms, -1);
    if (!sd_stage_peer_start(&slow_peer, DELAY_MS, error))
        return false;
    struct sd_loop_thread *thread =
        sd_loop_thread_start("notices", HEARTBEAT_MS, begin, NULL, &notices, error);
    bool done = thread != NULL && play(&notices, error);
    if (thread != NULL)
        sd_loop_thread_stop(thread);
    sd_stage_peer_stop(&slow_peer);
    return done;
}

const struct sd_injection sd_inject_stall = {"stall", "heartbeat-missed", "warning",
                                             "notices come seconds late", run};
