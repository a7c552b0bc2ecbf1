/* The tables of `lockgraph export --format sqlite`, described in docs/sqlite.md, and rows
 * for them. */
#ifndef LOCKGRAPH_COMMAND_SQLITE_TABLES_H
#define LOCKGRAPH_COMMAND_SQLITE_TABLES_H

#include <sqlite3.h>
#include <stdbool.h>

enum sqlite_table {
    TABLE_META,
    TABLE_PROCESS,
    TABLE_CLASS,
    TABLE_LOCK,
    TABLE_THREAD,
    TABLE_FRAME,
    TABLE_STACK,
    TABLE_STACK_FRAME,
    TABLE_EDGE,
    TABLE_FINDING,
    TABLE_FINDING_EDGE,
    TABLE_FINDING_HELD,
    TABLE_USAGE,
    TABLE_WAIT,
    TABLE_THREAD_USAGE,
    SQLITE_TABLES
};

struct sqlite_tables {
    sqlite3 *database;
    sqlite3_stmt *inserts[SQLITE_TABLES];
    int error; /* the first one, SQLITE_OK: none; from then on nothing is done */
};

/* Creates the database at `path` with empty tables and views, within one transaction. */
void sqlite_tables_open(struct sqlite_tables *tables, const char *path);
/* One value for each column: 'i' int64_t, 'o' the same where 0 stands for null, 't' const
 * char * (NULL: null), 'b' bool as int; '0' is null, whatever is behind it in the list. */
void sqlite_add(struct sqlite_tables *tables, enum sqlite_table table, const char *types, ...);
/* False: something failed, and `error` (256 bytes) says what. */
bool sqlite_tables_close(struct sqlite_tables *tables, char *error);

#endif
