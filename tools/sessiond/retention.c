#include "retention.h"

#include "clock.h"
#include "sql.h"

/* Of the oldest, so that it is a few, and quick, however many are there. */
static const char too_old[] = "DELETE FROM messages WHERE id IN (SELECT id FROM (SELECT id, stored_ms FROM "
                              "messages ORDER BY id LIMIT 500)"
                              " WHERE stored_ms < ?)";
/* Of users who have more: all but the newest, again a few. */
static const char too_many[] =
    "DELETE FROM messages WHERE id IN (WITH cut (user, last) AS MATERIALIZED"
    " (SELECT id, (SELECT m.id FROM messages m WHERE m.user_id = users.id ORDER BY m.id DESC LIMIT 1 OFFSET "
    "?)"
    "  FROM users)"
    " SELECT m.id FROM cut CROSS JOIN messages m ON m.user_id = cut.user AND m.id <= cut.last LIMIT 500)";

static bool delete_some(sqlite3 *handle, const char *text, int64_t value, int64_t *deleted,
                        struct sd_error *error) {
    struct sd_sql sql;
    int before = sqlite3_total_changes(handle); /* 64 bits from SQLite 3.37 on only; it may wrap around */
    if (!sd_sql_begin(&sql, handle, text, error))
        return false;
    sd_sql_number(&sql, 1, value);
    sd_sql_row(&sql);
    if (!sd_sql_end(&sql, error))
        return false;
    *deleted += sqlite3_total_changes(handle) != before ? sqlite3_changes(handle) : 0;
    return true;
}

bool sd_retention_messages(sqlite3 *handle, const struct sd_config *config, int64_t *purged,
                           struct sd_error *error) {
    int64_t before_ms = sd_wall_ms() - (int64_t)config->kept_message_s * 1000;
    *purged = 0;
    return delete_some(handle, too_old, before_ms, purged, error) &&
           delete_some(handle, too_many, config->kept_messages, purged, error);
}

bool sd_retention_may_archive(sqlite3 *handle, const struct sd_config *config, int64_t user, const char *name,
                              struct sd_error *error) {
    struct sd_sql sql;
    int64_t others = 0;
    if (!sd_sql_begin(&sql, handle, "SELECT count(*) FROM blobs WHERE user_id = ? AND name <> ?", error))
        return false;
    sd_sql_number(&sql, 1, user);
    sd_sql_text(&sql, 2, name);
    if (sd_sql_row(&sql))
        others = sd_sql_get_number(&sql, 0);
    if (!sd_sql_end(&sql, error))
        return false;
    return others < config->archives_per_user ||
           sd_fail(error, 409, "too_many_archives", "you have %lld archives; use a name of theirs again",
                   (long long)others);
}
