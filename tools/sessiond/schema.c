#include "schema.h"

#include <stddef.h>

#include "cancel.h"
#include "clock.h"
#include "sql.h"

enum { TRIES = 100, PAUSE_MS = 100 };
static const int64_t session_block = 10000000000; /* as migration 4 has it */

/* One a version; applied in order, and never changed once it was. */
static const char *const migrations[] = {
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL);"
    "CREATE TABLE messages (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id),"
    "  session_id INTEGER NOT NULL, peer_number INTEGER NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,"
    "  stored_ms INTEGER NOT NULL, UNIQUE (session_id, peer_number));"
    "CREATE INDEX messages_of_user ON messages (user_id, id);"
    "CREATE VIRTUAL TABLE message_index USING fts5(text, content = 'messages', content_rowid = 'id');"
    "CREATE TRIGGER messages_inserted AFTER INSERT ON messages BEGIN"
    "  INSERT INTO message_index (rowid, text) VALUES (new.id, new.text); END;"
    "CREATE TRIGGER messages_deleted AFTER DELETE ON messages BEGIN"
    "  INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', old.id, old.text); END;"
    "CREATE TRIGGER messages_updated AFTER UPDATE OF text ON messages BEGIN"
    "  INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', old.id, old.text);"
    "  INSERT INTO message_index (rowid, text) VALUES (new.id, new.text); END;",

    "CREATE TABLE queue (id INTEGER PRIMARY KEY, name TEXT NOT NULL, payload TEXT NOT NULL,"
    "  user_id INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'queued'"
    "    CHECK (state IN ('queued', 'claimed', 'done', 'failed')),"
    "  attempts INTEGER NOT NULL DEFAULT 0, worker TEXT, boot TEXT, claimed_ms INTEGER,"
    "  created_ms INTEGER NOT NULL, done_ms INTEGER, error TEXT);"
    "CREATE INDEX queue_by_state ON queue (state, id);"
    "CREATE TABLE effects (id INTEGER PRIMARY KEY, queue_id INTEGER NOT NULL UNIQUE REFERENCES queue(id),"
    "  user_id INTEGER NOT NULL, text TEXT NOT NULL, at_ms INTEGER NOT NULL);"
    "CREATE TABLE heartbeats (name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, detail TEXT NOT NULL);",

    "CREATE TABLE blobs (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id),"
    "  name TEXT NOT NULL, bytes INTEGER NOT NULL, checksum TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    "  UNIQUE (user_id, name));",

    "CREATE TABLE session_blocks AS SELECT coalesce(max(session_id), 0) / 10000000000 AS last FROM messages;",
};
enum { VERSION = sizeof migrations / sizeof migrations[0] };

static bool version(sqlite3 *handle, int64_t *number, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, "PRAGMA user_version", error))
        return false;
    if (sd_sql_row(&sql))
        *number = sd_sql_get_number(&sql, 0);
    return sd_sql_end(&sql, error);
}

/* The change to WAL asks for the whole database, and SQLite does not wait for that while
 * others begin as well. */
static bool use_wal(sqlite3 *handle, struct sd_error *error) {
    bool done = false;
    for (int i = 0; i < TRIES && !done; i++) {
        if (i > 0)
            sd_cancel_pause(NULL, PAUSE_MS);
        done = sd_sql_run(handle, "PRAGMA journal_mode = WAL", error);
    }
    return done;
}

static bool execute(sqlite3 *handle, const char *text, struct sd_error *error) {
    if (sqlite3_exec(handle, text, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return sd_fail_busy(error, "database", 5, "migration: %s", sqlite3_errmsg(handle));
}

/* In a transaction: another process may have done it between the look and its begin. */
static bool migrate_within(sqlite3 *handle, struct sd_error *error) {
    int64_t at = 0;
    char pragma[64];
    if (!version(handle, &at, error))
        return false;
    if (at >= VERSION)
        return true;
    sqlite3_snprintf(sizeof pragma, pragma, "PRAGMA user_version = %d", (int)at + 1);
    return execute(handle, migrations[at], error) && execute(handle, pragma, error);
}

static bool migrate(sqlite3 *handle, struct sd_error *error) {
    if (sd_sql_transaction(handle, error) && migrate_within(handle, error) && sd_sql_commit(handle, error))
        return true;
    sd_sql_roll_back(handle);
    return false;
}

bool sd_schema_prepare(sqlite3 *handle, struct sd_error *error) {
    int64_t at = 0;
    if (!use_wal(handle, error) || !version(handle, &at, error))
        return false;
    if (at > VERSION)
        return sd_fail(error, 500, "database_version",
                       "the database is of version %lld, this program knows %d: use a newer one",
                       (long long)at, VERSION);
    while (at < VERSION)
        if (!migrate(handle, error) || !version(handle, &at, error))
            return false;
    return true;
}

static bool seed_user(sqlite3 *handle, const char *name, struct sd_error *error) {
    struct sd_sql sql;
    static const char insert[] = "INSERT OR IGNORE INTO users (name, created_ms) VALUES (?, ?)";
    if (!sd_sql_begin(&sql, handle, insert, error))
        return false;
    sd_sql_text(&sql, 1, name);
    sd_sql_number(&sql, 2, sd_wall_ms());
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

static bool seed_all(sqlite3 *handle, const struct sd_config *config, struct sd_error *error) {
    bool well = seed_user(handle, config->default_user, error);
    for (size_t i = 0; i < config->user_count && well; i++)
        well = seed_user(handle, config->users[i].name, error);
    return well;
}

bool sd_schema_seed(sqlite3 *handle, const struct sd_config *config, struct sd_error *error) {
    if (sd_sql_transaction(handle, error) && seed_all(handle, config, error) && sd_sql_commit(handle, error))
        return true;
    sd_sql_roll_back(handle);
    return false;
}

int64_t sd_schema_user_id(sqlite3 *handle, const char *name, struct sd_error *error) {
    struct sd_sql sql;
    int64_t id = 0;
    if (!sd_sql_begin(&sql, handle, "SELECT id FROM users WHERE name = ?", error))
        return 0;
    sd_sql_text(&sql, 1, name);
    if (sd_sql_row(&sql))
        id = sd_sql_get_number(&sql, 0);
    if (!sd_sql_end(&sql, error))
        return 0;
    if (id == 0)
        sd_fail(error, 404, "no_user", "there is no user %s", name);
    return id;
}

bool sd_schema_session_block(sqlite3 *handle, uint64_t *last, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, "UPDATE session_blocks SET last = last + 1 RETURNING last", error))
        return false;
    int64_t block = sd_sql_row(&sql) ? sd_sql_get_number(&sql, 0) : 0;
    sd_sql_row(&sql); /* to its end: only then is it committed */
    if (!sd_sql_end(&sql, error))
        return false;
    *last = (uint64_t)(block * session_block);
    return block > 0 || sd_fail(error, 500, "no_block", "the table session_blocks is empty");
}
