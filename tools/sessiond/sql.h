/* SQL in one call: prepare, bind, step.  The statement belongs to the caller's handle
 * and thread.  No locks of ours; SQLite's own busy wait is 5 s.
 *
 *     struct sd_sql sql;
 *     if (!sd_sql_begin(&sql, handle, "SELECT id FROM users WHERE name = ?", error))
 *         return false;
 *     sd_sql_text(&sql, 1, name);
 *     while (sd_sql_row(&sql))
 *         id = sd_sql_get_number(&sql, 0);
 *     return sd_sql_end(&sql, error);
 *
 * Errors are 503 database, 503 busy (another writes; try again), or 503 interrupted: then
 * the token says why (sd_cancel_check), which the task manager does for its tasks. */
#ifndef SD_SQL_H
#define SD_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "error.h"

/* Before anything else of SQLite: it keeps no statistics of its memory, which would be a
 * lock of the whole process around each allocation. */
bool sd_sql_set_up(struct sd_error *error);

struct sd_sql {
    sqlite3 *handle;
    sqlite3_stmt *statement;
    int result;
};

bool sd_sql_begin(struct sd_sql *sql, sqlite3 *handle, const char *text, struct sd_error *error);
/* From 1.  NULL binds NULL.  The text must live until sd_sql_end. */
void sd_sql_text(struct sd_sql *sql, int at, const char *value);
void sd_sql_number(struct sd_sql *sql, int at, int64_t value);
/* false: no more rows, or an error, which sd_sql_end tells. */
bool sd_sql_row(struct sd_sql *sql);
/* From 0; the text lives until the next row; never NULL. */
const char *sd_sql_get_text(struct sd_sql *sql, int column);
int64_t sd_sql_get_number(struct sd_sql *sql, int column);
/* Finishes and frees in any case. */
bool sd_sql_end(struct sd_sql *sql, struct sd_error *error);
/* begin, the rows' worth of nothing, end; one without parameters. */
bool sd_sql_run(sqlite3 *handle, const char *text, struct sd_error *error);
/* BEGIN IMMEDIATE; COMMIT; what cannot fail.  sd_pool_give rolls back what was left. */
bool sd_sql_transaction(sqlite3 *handle, struct sd_error *error);
bool sd_sql_commit(sqlite3 *handle, struct sd_error *error);
void sd_sql_roll_back(sqlite3 *handle);

#endif
