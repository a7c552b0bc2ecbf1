#include "sql.h"

#include <stddef.h>

bool sd_sql_set_up(struct sd_error *error) {
    int result = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return result == SQLITE_OK || sd_fail(error, 500, "database", "SQLite: %s", sqlite3_errstr(result));
}

/* What a result of SQLite means to a client. */
static bool failed(sqlite3 *handle, int result, struct sd_error *error) {
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sd_fail_busy(error, "busy", 1, "the database is busy; try again");
    case SQLITE_INTERRUPT:
        return sd_fail(error, 503, "interrupted", "the statement was interrupted");
    default:
        return sd_fail_busy(error, "database", 5, "database: %s", sqlite3_errmsg(handle));
    }
}

bool sd_sql_begin(struct sd_sql *sql, sqlite3 *handle, const char *text, struct sd_error *error) {
    sql->handle = handle;
    sql->statement = NULL;
    sql->result = sqlite3_prepare_v2(handle, text, -1, &sql->statement, NULL);
    return sql->result == SQLITE_OK || failed(handle, sql->result, error);
}

/* The first mistake in binding stays, and keeps the statement from running. */
static void bound(struct sd_sql *sql, int result) {
    if (sql->result == SQLITE_OK)
        sql->result = result;
}

void sd_sql_text(struct sd_sql *sql, int at, const char *value) {
    bound(sql, sqlite3_bind_text(sql->statement, at, value, -1, SQLITE_STATIC));
}

void sd_sql_number(struct sd_sql *sql, int at, int64_t value) {
    bound(sql, sqlite3_bind_int64(sql->statement, at, value));
}

bool sd_sql_row(struct sd_sql *sql) {
    if (sql->result != SQLITE_OK && sql->result != SQLITE_ROW)
        return false;
    sql->result = sqlite3_step(sql->statement);
    return sql->result == SQLITE_ROW;
}

const char *sd_sql_get_text(struct sd_sql *sql, int column) {
    const unsigned char *text = sqlite3_column_text(sql->statement, column);
    return text == NULL ? "" : (const char *)text;
}

int64_t sd_sql_get_number(struct sd_sql *sql, int column) {
    return sqlite3_column_int64(sql->statement, column);
}

bool sd_sql_end(struct sd_sql *sql, struct sd_error *error) {
    bool well = sql->result == SQLITE_OK || sql->result == SQLITE_ROW || sql->result == SQLITE_DONE;
    if (!well) /* before the message is gone with the statement */
        failed(sql->handle, sql->result, error);
    sqlite3_finalize(sql->statement);
    sql->statement = NULL;
    return well;
}

bool sd_sql_run(sqlite3 *handle, const char *text, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, text, error))
        return false;
    while (sd_sql_row(&sql))
        continue;
    return sd_sql_end(&sql, error);
}

bool sd_sql_transaction(sqlite3 *handle, struct sd_error *error) {
    return sd_sql_run(handle, "BEGIN IMMEDIATE", error);
}

bool sd_sql_commit(sqlite3 *handle, struct sd_error *error) { return sd_sql_run(handle, "COMMIT", error); }

void sd_sql_roll_back(sqlite3 *handle) {
    if (!sqlite3_get_autocommit(handle))
        sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
}
