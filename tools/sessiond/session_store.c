/* A session's messages in the database, through a handle of the pool's (70). */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "queue.h"
#include "session_private.h"
#include "sql.h"

enum { INDEX_AFTER = 50 }; /* messages stored at once that make merging the index worth while */

bool sd_message_parse(const char *line, struct sd_message *message) {
    long long number;
    int text_at = -1;
    /* 63: one less than the sender's room */
    if (sscanf(line, "%lld %63s %n", &number, message->sender, &text_at) < 2 || text_at < 0)
        return false;
    message->number = number;
    sd_copy(message->text, sizeof message->text, line + text_at);
    return true;
}

/* Its owner may be gone since the task was asked for. */
static bool user_is_there(sqlite3 *handle, int64_t user, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, "SELECT 1 FROM users WHERE id = ?", error))
        return false;
    sd_sql_number(&sql, 1, user);
    bool there = sd_sql_row(&sql);
    if (!sd_sql_end(&sql, error))
        return false;
    if (!there)
        sd_log(SD_LOG_INFO, "user %lld is gone: nothing is stored", (long long)user);
    return there || sd_fail(error, 404, "gone", "the user is gone");
}

static bool insert(sqlite3 *handle, const struct sd_session *session, const struct sd_message *message,
                   struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle,
                      "INSERT OR IGNORE INTO messages (user_id, session_id, peer_number, sender, text,"
                      " stored_ms) VALUES (?, ?, ?, ?, ?, ?)",
                      error))
        return false;
    sd_sql_number(&sql, 1, session->user);
    sd_sql_number(&sql, 2, (int64_t)session->id);
    sd_sql_number(&sql, 3, message->number);
    sd_sql_text(&sql, 4, message->sender);
    sd_sql_text(&sql, 5, message->text);
    sd_sql_number(&sql, 6, sd_wall_ms());
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

/* Within the transaction. */
static bool insert_all(sqlite3 *handle, struct sd_work *work, const struct sd_message *messages, size_t count,
                       int64_t *stored, struct sd_error *error) {
    if (!user_is_there(handle, work->session->user, error))
        return false;
    *stored = 0;
    for (size_t at = 0; at < count; at++) {
        int before = sqlite3_total_changes(handle);
        if (!insert(handle, work->session, &messages[at], error))
            return false;
        *stored += sqlite3_total_changes(handle) != before;
    }
    int64_t id;
    return *stored < INDEX_AFTER || sd_queue_put(handle, "index", "", work->session->user, &id, error);
}

static bool store(sqlite3 *handle, struct sd_work *work, const struct sd_message *messages, size_t count,
                  int64_t *stored, struct sd_error *error) {
    if (!sd_sql_transaction(handle, error))
        return false;
    if (insert_all(handle, work, messages, count, stored, error) && sd_sql_commit(handle, error))
        return true;
    sd_sql_roll_back(handle);
    return sd_cancel_check(work->cancel, error) && false;
}

bool sd_session_store(struct sd_work *work, const struct sd_message *messages, size_t count, int64_t *stored,
                      struct sd_error *error) {
    struct sd_pool *pool = work->session->world->pool;
    sqlite3 *handle = sd_pool_take(pool, "session_store", work->cancel, error);
    if (handle == NULL)
        return false;
    bool done = store(handle, work, messages, count, stored, error);
    sd_pool_give(pool, handle);
    return done;
}
