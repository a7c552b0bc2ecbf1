#include "session_private.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "text.h"
#include "timed.h"

static void publish_event(struct sd_session *session, const char *sender, const char *text, void *user) {
    struct sd_text json = {0};
    (void)user;
    sd_text_format(&json, "{\"session\":%llu,\"sender\":", (unsigned long long)session->id);
    sd_text_json(&json, sender);
    sd_text_add(&json, ",\"text\":");
    sd_text_json(&json, text);
    sd_text_add(&json, "}");
    if (!json.failed)
        sd_events_publish(session->world->events, session->user, "message", json.bytes);
    sd_text_free(&json);
}

static void free_entries(struct sd_session_entry *first) {
    for (struct sd_session_entry *next; first != NULL; first = next) {
        next = first->next;
        free(first);
    }
}

struct sd_session *sd_session_create(const struct sd_session_world *world, uint64_t id, int64_t user,
                                     const char *name, const char *host, int port, struct sd_error *error) {
    struct sd_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a session");
        return NULL;
    }
    if (!sd_session_locks_init(&session->locks, id, error)) {
        free(session);
        return NULL;
    }
    session->world = world;
    session->id = id;
    session->user = user;
    session->port = port;
    session->created_ms = session->last_used_ms = sd_wall_ms();
    sd_copy(session->name, sizeof session->name, name);
    sd_copy(session->host, sizeof session->host, host);
    atomic_init(&session->references, 1);
    uint64_t handler;
    if (sd_session_add_handler(session, publish_event, NULL, &handler, error))
        return session;
    sd_session_release(session);
    return NULL;
}

void sd_session_hold(struct sd_session *session) { atomic_fetch_add(&session->references, 1); }

void sd_session_release(struct sd_session *session) {
    if (atomic_fetch_sub(&session->references, 1) > 1)
        return;
    sd_line_close(session->line);
    free_entries(session->entries);
    sd_session_locks_destroy(&session->locks);
    free(session);
}

uint64_t sd_session_id(const struct sd_session *session) { return session->id; }
int64_t sd_session_user(const struct sd_session *session) { return session->user; }
struct sd_session_locks *sd_session_locks(struct sd_session *session) {
    return &session->locks;
}

/* ---- entries ---- */

/* Under locks.task. */
static int32_t count_entries(const struct sd_session *session, bool running) {
    int32_t count = 0;
    for (const struct sd_session_entry *entry = session->entries; entry != NULL; entry = entry->next)
        count += entry->running == running;
    return count;
}

/* Under locks.task: those that have ended, counted and taken out, for free_entries. */
static struct sd_session_entry *take_ended(struct sd_session *session) {
    struct sd_session_entry *taken = NULL, **at = &session->entries;
    while (*at != NULL) {
        struct sd_session_entry *entry = *at;
        int how = atomic_load(&entry->how_ended);
        if (how == 0) {
            at = &entry->next;
            continue;
        }
        session->completed += how == SD_SESSION_SUCCEEDED;
        session->failed += how == SD_SESSION_FAILED;
        session->last_used_ms = sd_wall_ms();
        *at = entry->next;
        entry->next = taken;
        taken = entry;
    }
    return taken;
}

static bool add_entry(struct sd_session *session, struct sd_session_entry *entry, struct sd_error *error) {
    if (!sd_lock_soon(&session->locks.task, error))
        return false;
    struct sd_session_entry *ended = take_ended(session);
    bool room = count_entries(session, false) < session->world->config->session_queue;
    if (room) {
        entry->next = session->entries;
        session->entries = entry;
    }
    sd_unlock(&session->locks.task);
    free_entries(ended);
    return room || sd_fail_busy(error, "session_busy", 1, "%d operations wait in this session already",
                                session->world->config->session_queue);
}

bool sd_session_begin(struct sd_session *session, const char *name, struct sd_session_entry **made,
                      struct sd_error *error) {
    struct sd_session_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return sd_fail_busy(error, "no_memory", 1, "no memory for an operation");
    entry->name = name;
    if (!sd_lock_soon(&session->locks.place, error)) {
        free(entry);
        return false;
    }
    bool begun = session->stopped ? sd_fail(error, 409, "stopped", "the session was stopped")
                                  : add_entry(session, entry, error);
    sd_unlock(&session->locks.place);
    if (begun)
        *made = entry;
    else
        free(entry);
    return begun;
}

void sd_session_end(struct sd_session *session, struct sd_session_entry *entry, bool succeeded) {
    atomic_store(&entry->how_ended, succeeded ? SD_SESSION_SUCCEEDED : SD_SESSION_FAILED);
    if (!sd_lock_soon(&session->locks.task, NULL))
        return;
    struct sd_session_entry *ended = take_ended(session);
    sd_unlock(&session->locks.task);
    free_entries(ended);
}

static bool set_running(struct sd_session *session, struct sd_session_entry *entry, struct sd_error *error) {
    if (!sd_lock(&session->locks.task, error))
        return false;
    entry->running = true;
    sd_unlock(&session->locks.task);
    return true;
}

/* ---- performing ---- */

static sd_session_work *const works[SD_OP_KINDS] = {
    [SD_OP_SCRAPE] = sd_work_scrape, [SD_OP_SEND] = sd_work_send,           [SD_OP_MONITOR] = sd_work_monitor,
    [SD_OP_SEARCH] = sd_work_search, [SD_OP_SCORE] = sd_work_score,         [SD_OP_ARCHIVE] = sd_work_archive,
    [SD_OP_DIGEST] = sd_work_digest, [SD_OP_BROADCAST] = sd_work_broadcast, [SD_OP_ENQUEUE] = sd_work_enqueue,
};

/* Whatever it is cancelled for while it waits, it waits no longer than it may run. */
static bool take_connection(struct sd_work *work, struct sd_error *error) {
    struct sd_session *session = work->session;
    int32_t left_ms = sd_cancel_left_ms(work->cancel, sd_timed_limit_ms());
    bool had = left_ms < sd_timed_limit_ms() ? sd_lock_within(&session->locks.operation, left_ms, error)
                                             : sd_lock(&session->locks.operation, error);
    if (!had)
        return sd_cancel_check(work->cancel, error) && false;
    if (sd_cancel_check(work->cancel, error))
        return true;
    sd_unlock(&session->locks.operation);
    return false;
}

/* `own` NULL: to be connected is all. */
static bool work_on_connection(struct sd_work *work, sd_session_work *own, struct sd_session_entry *entry,
                               struct sd_error *error) {
    if (!take_connection(work, error))
        return false;
    bool done = set_running(work->session, entry, error) && sd_session_ensure_line(work, error) &&
                (own == NULL || own(work, error));
    sd_session_drop_broken_line(work->session);
    sd_unlock(&work->session->locks.operation);
    return done;
}

static bool work_with_slot(struct sd_work *work, const struct sd_operation_kind_info *info,
                           sd_session_work *own, struct sd_session_entry *entry, struct sd_error *error) {
    struct sd_manager_locks *locks = work->session->world->locks;
    lg_sem_t *slots = info->scrape_slot ? &locks->scrape_slots : &locks->operation_slots;
    if (!sd_slot(slots, error))
        return false;
    bool done = sd_cancel_check(work->cancel, error);
    if (done && info->connection)
        done = work_on_connection(work, own, entry, error);
    else if (done)
        done = set_running(work->session, entry, error) && own(work, error);
    sd_slot_end(slots);
    return done;
}

/* With nothing held. */
static void count(const struct sd_work *work, const char *name, bool done) {
    char labels[80];
    snprintf(labels, sizeof labels, "operation=\"%s\",outcome=\"%s\"", name, done ? "ok" : "failed");
    sd_metrics_count(work->session->world->metrics, SD_SERIES_OPERATIONS, labels, 1);
    sd_dependencies_tell_metrics(work->session->world->dependencies);
    if (work->reconnected)
        sd_metrics_count(work->session->world->metrics, SD_SERIES_RECONNECTS, "", 1);
}

static bool perform(struct sd_work *work, const struct sd_operation_kind_info *info, sd_session_work *own,
                    struct sd_session_entry *entry, struct sd_error *error) {
    uint64_t about = sd_log_session(work->session->id);
    bool labelled = lg_operation(info->name) == 0;
    bool done = work_with_slot(work, info, own, entry, error);
    if (labelled)
        lg_operation_end();
    count(work, info->name, done);
    sd_log_session(about);
    return done;
}

bool sd_session_perform(struct sd_session *session, struct sd_session_entry *entry,
                        const struct sd_operation *operation, struct sd_cancel *cancel,
                        struct sd_text *result, struct sd_error *error) {
    struct sd_work work = {session, operation, cancel, result, false};
    return perform(&work, sd_operation_info(operation->kind), works[operation->kind], entry, error);
}

bool sd_session_connect(struct sd_session *session, struct sd_session_entry *entry, struct sd_cancel *cancel,
                        struct sd_text *result, struct sd_error *error) {
    struct sd_work work = {session, NULL, cancel, result, false};
    if (!perform(&work, &sd_operation_connect, NULL, entry, error))
        return false;
    sd_text_format(result, "{\"session\":%llu,\"connected\":true}", (unsigned long long)session->id);
    return true;
}

/* Both or none. */
bool sd_session_stop(struct sd_session *session, struct sd_error *error) {
    if (!sd_lock_soon(&session->locks.place, error))
        return false;
    bool stopped = sd_lock_soon(&session->locks.task, error);
    if (stopped) {
        session->stopped = true;
        session->state = SD_SESSION_STOPPED;
        sd_unlock(&session->locks.task);
    }
    sd_unlock(&session->locks.place);
    return stopped;
}

bool sd_session_view(struct sd_session *session, struct sd_session_view *view, int32_t within_ms,
                     struct sd_error *error) {
    *view =
        (struct sd_session_view){.id = session->id, .port = session->port, .created_ms = session->created_ms};
    sd_copy(view->name, sizeof view->name, session->name);
    sd_copy(view->host, sizeof view->host, session->host);
    if (!sd_lock_within(&session->locks.task, within_ms, error))
        return false;
    struct sd_session_entry *ended = take_ended(session);
    view->state = session->state;
    view->last_used_ms = session->last_used_ms;
    view->waiting = count_entries(session, false);
    view->running = count_entries(session, true);
    view->completed = session->completed;
    view->failed = session->failed;
    view->reconnects = session->reconnects;
    sd_unlock(&session->locks.task);
    free_entries(ended);
    return true;
}
