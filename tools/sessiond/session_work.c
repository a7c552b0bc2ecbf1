/* Operations beside the connection: with a slot held and no lock of the session's. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "queue.h"
#include "retention.h"
#include "session_private.h"
#include "sql.h"

enum { MOST_ARCHIVED = 10000, PIECE = 64 << 10 };

bool sd_work_search(struct sd_work *work, struct sd_error *error) {
    return sd_dependencies_search(work->session->world->dependencies, work->session->user,
                                  work->operation->text, (int32_t)work->operation->limit, work->cancel,
                                  work->result, error);
}

bool sd_work_score(struct sd_work *work, struct sd_error *error) {
    return sd_dependencies_score(work->session->world->dependencies, work->session->user,
                                 work->operation->text, work->cancel, work->result, error);
}

bool sd_work_broadcast(struct sd_work *work, struct sd_error *error) {
    struct sd_text json = {0};
    sd_text_format(&json, "{\"session\":%llu,\"text\":", (unsigned long long)work->session->id);
    sd_text_json(&json, work->operation->text);
    sd_text_add(&json, "}");
    if (json.failed)
        return sd_fail_busy(error, "no_memory", 1, "no memory for an event");
    unsigned sent =
        sd_events_publish(work->session->world->events, work->session->user, "broadcast", json.bytes);
    sd_text_free(&json);
    sd_text_format(work->result, "{\"subscribers\":%u}", sent);
    return true;
}

/* ---- with a handle of the pool's (70) ---- */

typedef bool with_handle(sqlite3 *handle, struct sd_work *work, void *of, struct sd_error *error);

/* A statement that was interrupted is told as what the token says. */
static bool work_with_handle(struct sd_work *work, with_handle *own, void *of, struct sd_error *error) {
    struct sd_pool *pool = work->session->world->pool;
    sqlite3 *handle = sd_pool_take(pool, sd_operation_info(work->operation->kind)->name, work->cancel, error);
    if (handle == NULL)
        return false;
    bool done = own(handle, work, of, error) || (sd_cancel_check(work->cancel, error) && false);
    sd_pool_give(pool, handle);
    return done;
}

/* One statement, so that it can be long and be interrupted. */
static bool digest(sqlite3 *handle, struct sd_work *work, void *of, struct sd_error *error) {
    struct sd_sql sql;
    (void)of;
    if (!sd_sql_begin(&sql, handle,
                      "WITH RECURSIVE round (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM round WHERE n < ?1)"
                      " SELECT max(n), count(id) / max(n), coalesce(sum(length(text)), 0) / max(n)"
                      " FROM round LEFT JOIN messages ON user_id = ?2",
                      error))
        return false;
    sd_sql_number(&sql, 1, work->operation->rounds);
    sd_sql_number(&sql, 2, work->session->user);
    if (sd_sql_row(&sql))
        sd_text_format(work->result, "{\"rounds\":%lld,\"messages\":%lld,\"bytes\":%lld}",
                       (long long)sd_sql_get_number(&sql, 0), (long long)sd_sql_get_number(&sql, 1),
                       (long long)sd_sql_get_number(&sql, 2));
    return sd_sql_end(&sql, error);
}

bool sd_work_digest(struct sd_work *work, struct sd_error *error) {
    return work_with_handle(work, digest, NULL, error);
}

static bool enqueue(sqlite3 *handle, struct sd_work *work, void *id, struct sd_error *error) {
    return sd_queue_put(handle, "note", work->operation->text, work->session->user, id, error);
}

bool sd_work_enqueue(struct sd_work *work, struct sd_error *error) {
    int64_t id;
    if (!work_with_handle(work, enqueue, &id, error))
        return false;
    sd_workers_wake(work->session->world->workers);
    sd_text_format(work->result, "{\"queued\":%lld}", (long long)id);
    return true;
}

/* ---- archive ---- */

struct archive {
    struct sd_text text;
    int64_t messages;
    uint64_t checksum;
};

static bool collect(sqlite3 *handle, struct sd_work *work, void *of, struct sd_error *error) {
    struct archive *archive = of;
    struct sd_sql sql;
    if (!sd_retention_may_archive(handle, work->session->world->config, work->session->user,
                                  work->operation->name, error))
        return false;
    if (!sd_sql_begin(&sql, handle,
                      "SELECT peer_number, sender, text FROM messages WHERE session_id = ? AND user_id = ?"
                      " ORDER BY peer_number LIMIT ?",
                      error))
        return false;
    sd_sql_number(&sql, 1, (int64_t)work->session->id);
    sd_sql_number(&sql, 2, work->session->user);
    sd_sql_number(&sql, 3, MOST_ARCHIVED);
    for (; sd_sql_row(&sql); archive->messages++) {
        sd_text_format(&archive->text, "%lld %s ", (long long)sd_sql_get_number(&sql, 0),
                       sd_sql_get_text(&sql, 1));
        sd_text_add(&archive->text, sd_sql_get_text(&sql, 2));
        sd_text_add(&archive->text, "\n");
    }
    return sd_sql_end(&sql, error);
}

/* FNV-1a, on a thread for computing. */
static bool sum(void *of, const struct sd_cancel *cancel, struct sd_error *error) {
    struct archive *archive = of;
    archive->checksum = 0xcbf29ce484222325u;
    for (size_t at = 0; at < archive->text.length; at++) {
        if (at % PIECE == 0 && !sd_cancel_check(cancel, error))
            return false;
        archive->checksum = (archive->checksum ^ (unsigned char)archive->text.bytes[at]) * 0x100000001b3u;
    }
    return true;
}

static bool record(sqlite3 *handle, struct sd_work *work, void *of, struct sd_error *error) {
    const struct archive *archive = of;
    struct sd_sql sql;
    char checksum[24];
    if (!sd_sql_begin(&sql, handle,
                      "INSERT INTO blobs (user_id, name, bytes, checksum, at_ms) VALUES (?, ?, ?, ?, ?)"
                      " ON CONFLICT (user_id, name) DO UPDATE SET bytes = excluded.bytes,"
                      " checksum = excluded.checksum, at_ms = excluded.at_ms",
                      error))
        return false;
    snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)archive->checksum);
    sd_sql_number(&sql, 1, work->session->user);
    sd_sql_text(&sql, 2, work->operation->name);
    sd_sql_number(&sql, 3, (int64_t)archive->text.length);
    sd_sql_text(&sql, 4, checksum);
    sd_sql_number(&sql, 5, sd_wall_ms());
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

/* {"name":…,"bytes":…,"degraded":false} becomes longer. */
static void add_figures(struct sd_text *result, const struct archive *archive) {
    result->length--;
    sd_text_format(result, ",\"messages\":%lld,\"checksum\":\"%016llx\"}", (long long)archive->messages,
                   (unsigned long long)archive->checksum);
}

static bool archive_it(struct sd_work *work, struct archive *archive, struct sd_error *error) {
    const struct sd_session_world *world = work->session->world;
    if (!work_with_handle(work, collect, archive, error))
        return false;
    sd_text_add(&archive->text, ""); /* not NULL where there are no messages */
    if (archive->text.failed)
        return sd_fail_busy(error, "no_memory", 1, "no memory for an archive");
    if (!sd_cpu_pool_run(world->cpu, sum, archive, work->cancel, error) ||
        !sd_dependencies_put(world->dependencies, work->session->user, work->operation->name,
                             archive->text.bytes, archive->text.length, work->cancel, work->result, error) ||
        !work_with_handle(work, record, archive, error))
        return false;
    add_figures(work->result, archive);
    return true;
}

bool sd_work_archive(struct sd_work *work, struct sd_error *error) {
    struct archive archive = {0};
    bool done = archive_it(work, &archive, error);
    sd_text_free(&archive.text);
    return done;
}
