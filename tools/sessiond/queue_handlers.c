/* What the durable tasks of the manager do, inside the worker's transaction. */
#include "clock.h"
#include "log.h"
#include "manager.h"
#include "sql.h"

enum { PAGES = 256 };

/* true, and nothing was done, where there is no such user any more. */
static bool user_is_gone(sqlite3 *handle, int64_t user) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, "SELECT 1 FROM users WHERE id = ?", NULL))
        return false;
    sd_sql_number(&sql, 1, user);
    bool gone = !sd_sql_row(&sql);
    return sd_sql_end(&sql, NULL) && gone;
}

/* Its effect is one row, and queue_id is unique: twice would be an error. */
static bool note(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel, void *user,
                 struct sd_error *error) {
    struct sd_sql sql;
    (void)user;
    if (!sd_cancel_check(cancel, error))
        return false;
    if (user_is_gone(handle, item->user)) {
        sd_log(SD_LOG_INFO, "durable task %lld: its user is gone, so it has no effect", (long long)item->id);
        return true;
    }
    if (!sd_sql_begin(&sql, handle,
                      "INSERT INTO effects (queue_id, user_id, text, at_ms) VALUES (?, ?, ?, ?)", error))
        return false;
    sd_sql_number(&sql, 1, item->id);
    sd_sql_number(&sql, 2, item->user);
    sd_sql_text(&sql, 3, item->payload);
    sd_sql_number(&sql, 4, sd_wall_ms());
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

/* The full-text index grows by a segment with each transaction; some are merged here. */
static bool index_messages(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel,
                           void *user, struct sd_error *error) {
    struct sd_sql sql;
    (void)item, (void)user;
    if (!sd_cancel_check(cancel, error) ||
        !sd_sql_begin(&sql, handle, "INSERT INTO message_index (message_index, rank) VALUES ('merge', ?)",
                      error))
        return false;
    sd_sql_number(&sql, 1, PAGES);
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

bool sd_manager_handle_queue(struct sd_workers *workers, struct sd_error *error) {
    return sd_workers_handle(workers, "note", note, NULL, error) &&
           sd_workers_handle(workers, "index", index_messages, NULL, error);
}
