/* A session of which one lock is stuck: what the HTTP thread calls gives up soon. */
#include <stdatomic.h>

#include "clock.h"
#include "parts.h"
#include "session.h"
#include "threads.h"
#include "timed.h"

enum { SOON_MS = 2000 }; /* far less than lock_timeout, which is 30 s */

struct holder {
    lg_mutex_t *lock;
    _Atomic bool has, let_go;
};

static void hold(void *of) {
    struct holder *holder = of;
    if (!CHECK(sd_lock(holder->lock, NULL)))
        return;
    atomic_store(&holder->has, true);
    while (!atomic_load(&holder->let_go))
        part_pause(5);
    sd_unlock(holder->lock);
}

static struct sd_thread *begin_holding(struct holder *holder) {
    struct sd_error error;
    struct sd_thread *thread = sd_thread_start("holder", hold, holder, &error);
    WAIT_FOR(atomic_load(&holder->has));
    return thread;
}

static void end_holding(struct holder *holder, struct sd_thread *thread) {
    atomic_store(&holder->let_go, true);
    sd_thread_join(thread);
}

static struct sd_session *make(struct sd_session_world *world) {
    struct sd_error error;
    *world = (struct sd_session_world){.config = part_config()};
    struct sd_session *session = sd_session_create(world, 1, 1, "test", "127.0.0.1", 1, &error);
    CHECK(session != NULL);
    return session;
}

static void stuck_task(void) {
    struct sd_session_world world;
    struct sd_session *session = make(&world);
    struct sd_session_view view;
    struct sd_session_entry *first, *second;
    struct sd_error error;
    CHECK(sd_session_begin(session, "first", &first, &error));
    struct holder holder = {.lock = &sd_session_locks(session)->task};
    struct sd_thread *thread = begin_holding(&holder);
    int64_t began_ms = sd_now_ms();
    CHECK(!sd_session_begin(session, "second", &second, &error));
    CHECK_ERROR(&error, 503, "lock_timeout");
    CHECK(!sd_session_view(session, &view, sd_timed_soon_ms(), &error));
    CHECK_ERROR(&error, 503, "lock_timeout");
    CHECK(!sd_session_stop(session, &error));
    CHECK_ERROR(&error, 503, "lock_timeout");
    sd_session_end(session, first, true); /* noted later */
    CHECK(sd_now_ms() - began_ms < SOON_MS);
    end_holding(&holder, thread);
    CHECK(sd_session_view(session, &view, sd_timed_soon_ms(), &error));
    CHECK(view.waiting == 0 && view.completed == 1 && view.state == SD_SESSION_NEW);
    CHECK(sd_session_begin(session, "second", &second, &error)); /* it was not stopped by half */
    sd_session_end(session, second, false);
    CHECK(sd_session_stop(session, &error));
    CHECK(!sd_session_begin(session, "third", &second, &error));
    CHECK_ERROR(&error, 409, "stopped");
    CHECK(part_findings() == 0);
    sd_session_release(session);
}

static void stuck_place(void) {
    struct sd_session_world world;
    struct sd_session *session = make(&world);
    struct sd_session_entry *entry;
    struct sd_error error;
    struct holder holder = {.lock = &sd_session_locks(session)->place};
    struct sd_thread *thread = begin_holding(&holder);
    int64_t began_ms = sd_now_ms();
    CHECK(!sd_session_begin(session, "first", &entry, &error));
    CHECK_ERROR(&error, 503, "lock_timeout");
    CHECK(!sd_session_stop(session, &error));
    CHECK_ERROR(&error, 503, "lock_timeout");
    CHECK(sd_now_ms() - began_ms < SOON_MS);
    end_holding(&holder, thread);
    CHECK(sd_session_stop(session, &error));
    sd_session_release(session);
}

static const struct part parts[] = {{"a session's entries are stuck", stuck_task},
                                    {"a session's place is stuck", stuck_place}};
const struct part_group parts_sessions = {parts, sizeof parts / sizeof parts[0]};
