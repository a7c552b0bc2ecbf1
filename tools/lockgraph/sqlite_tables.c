#include "sqlite_tables.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *columns;
} tables_of[SQLITE_TABLES] = {
    [TABLE_META] = {"meta", "key TEXT PRIMARY KEY, value TEXT"},
    [TABLE_PROCESS] = {"process", "id INTEGER PRIMARY KEY, pid INTEGER, ppid INTEGER, exe TEXT,"
                                  " command_line TEXT, build_id TEXT, start_ns INTEGER, end_ns INTEGER,"
                                  " running INTEGER, exit_status INTEGER"},
    [TABLE_CLASS] = {"class", "id TEXT PRIMARY KEY, name TEXT, kind TEXT, level INTEGER"},
    [TABLE_LOCK] = {"lock", "id TEXT PRIMARY KEY, process INTEGER REFERENCES process,"
                            " class TEXT REFERENCES class, name TEXT, kind TEXT, contended INTEGER,"
                            " wait_total_ns INTEGER, wait_max_ns INTEGER, waiters_max INTEGER"},
    [TABLE_THREAD] = {"thread", "process INTEGER REFERENCES process, serial INTEGER, tid INTEGER, name TEXT,"
                                " start_routine TEXT, PRIMARY KEY (process, serial)"},
    [TABLE_FRAME] = {"frame", "id INTEGER PRIMARY KEY, module TEXT, offset INTEGER, build_id TEXT,"
                              " function TEXT, file TEXT, line INTEGER, inlined INTEGER"},
    [TABLE_STACK] = {"stack", "id INTEGER PRIMARY KEY, site INTEGER REFERENCES frame, partial INTEGER"},
    [TABLE_STACK_FRAME] = {"stack_frame", "stack INTEGER REFERENCES stack, depth INTEGER,"
                                          " frame INTEGER REFERENCES frame, PRIMARY KEY (stack, depth)"},
    [TABLE_EDGE] = {"edge", "process INTEGER REFERENCES process, from_class TEXT REFERENCES class,"
                            " to_class TEXT REFERENCES class, from_lock TEXT, to_lock TEXT, from_mode TEXT,"
                            " to_mode TEXT, timed INTEGER, thread INTEGER,"
                            " held_stack INTEGER REFERENCES stack, request_stack INTEGER REFERENCES stack"},
    [TABLE_FINDING] = {"finding", "id TEXT PRIMARY KEY, kind TEXT, verdict TEXT, severity TEXT,"
                                  " count INTEGER, process INTEGER REFERENCES process,"
                                  " time_ns INTEGER, title TEXT, explanation TEXT, advice TEXT"},
    [TABLE_FINDING_EDGE] = {"finding_edge",
                            "finding TEXT REFERENCES finding, position INTEGER, thread INTEGER,"
                            " from_lock TEXT, to_lock TEXT, waits_for TEXT, since_ns INTEGER,"
                            " held_stack INTEGER REFERENCES stack, request_stack INTEGER REFERENCES stack,"
                            " PRIMARY KEY (finding, position)"},
    [TABLE_FINDING_HELD] = {"finding_held", "finding TEXT REFERENCES finding, position INTEGER,"
                                            " depth INTEGER, lock TEXT, mode TEXT,"
                                            " stack INTEGER REFERENCES stack"},
    [TABLE_USAGE] = {"usage", "process INTEGER REFERENCES process, class TEXT REFERENCES class,"
                              " stack INTEGER REFERENCES stack, contended INTEGER, owner_changes INTEGER,"
                              " waiters_max INTEGER, wait_count INTEGER, wait_total_ns INTEGER,"
                              " wait_max_ns INTEGER, hold_count INTEGER, hold_total_ns INTEGER,"
                              " hold_max_ns INTEGER"},
    [TABLE_WAIT] = {"wait", "process INTEGER REFERENCES process, thread INTEGER, waits_for TEXT, lock TEXT,"
                            " owner INTEGER, since_ns INTEGER, stack INTEGER REFERENCES stack"},
    [TABLE_THREAD_USAGE] = {"thread_usage",
                            "process INTEGER REFERENCES process, thread INTEGER,"
                            " wait_count INTEGER, wait_total_ns INTEGER, wait_max_ns INTEGER"},
};

#define VIEWS                                                                                                \
    "CREATE VIEW place AS SELECT stack.id AS stack, function, file, line, module, offset"                    \
    " FROM stack LEFT JOIN frame ON frame.id = stack.site;"

static void execute(struct sqlite_tables *tables, const char *sql) {
    if (tables->error == SQLITE_OK)
        tables->error = sqlite3_exec(tables->database, sql, NULL, NULL, NULL);
}

static void create(struct sqlite_tables *tables, enum sqlite_table table) {
    char sql[1024];
    /* The largest one, of which a key beside the rows would make half as much again. */
    const char *kind = table == TABLE_STACK_FRAME ? "WITHOUT ROWID" : "";
    snprintf(sql, sizeof sql, "CREATE TABLE %s (%s) %s", tables_of[table].name, tables_of[table].columns,
             kind);
    execute(tables, sql);
}

void sqlite_tables_open(struct sqlite_tables *tables, const char *path) {
    *tables = (struct sqlite_tables){0};
    tables->error = sqlite3_open_v2(path, &tables->database,
                                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    /* A file that is not finished is thrown away: it needs no journal. */
    execute(tables, "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
    for (int table = 0; table < SQLITE_TABLES; table++)
        create(tables, (enum sqlite_table)table);
    execute(tables, VIEWS);
}

static sqlite3_stmt *insert_into(struct sqlite_tables *tables, enum sqlite_table table, size_t columns) {
    char sql[256];
    sqlite3_stmt **insert = &tables->inserts[table];
    if (*insert || tables->error != SQLITE_OK)
        return tables->error == SQLITE_OK ? *insert : NULL;
    int length = snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO %s VALUES (?", tables_of[table].name);
    for (size_t i = 1; i < columns; i++)
        length += snprintf(sql + length, sizeof sql - (size_t)length, ",?");
    snprintf(sql + length, sizeof sql - (size_t)length, ")");
    tables->error = sqlite3_prepare_v2(tables->database, sql, -1, insert, NULL);
    return *insert;
}

static int bind(sqlite3_stmt *insert, int column, char type, va_list *values) {
    int64_t number;
    switch (type) {
    case 'i':
        return sqlite3_bind_int64(insert, column, va_arg(*values, int64_t));
    case 'o':
        number = va_arg(*values, int64_t);
        return number ? sqlite3_bind_int64(insert, column, number) : sqlite3_bind_null(insert, column);
    case 't':
        return sqlite3_bind_text(insert, column, va_arg(*values, const char *), -1, SQLITE_STATIC);
    case 'b':
        return sqlite3_bind_int(insert, column, va_arg(*values, int));
    default:
        return sqlite3_bind_null(insert, column);
    }
}

void sqlite_add(struct sqlite_tables *tables, enum sqlite_table table, const char *types, ...) {
    sqlite3_stmt *insert = insert_into(tables, table, strlen(types));
    if (!insert)
        return;
    va_list values;
    va_start(values, types);
    for (int i = 0; types[i] && tables->error == SQLITE_OK; i++)
        tables->error = bind(insert, i + 1, types[i], &values);
    va_end(values);
    if (tables->error == SQLITE_OK && sqlite3_step(insert) != SQLITE_DONE)
        tables->error = sqlite3_errcode(tables->database);
    sqlite3_reset(insert);
}

bool sqlite_tables_close(struct sqlite_tables *tables, char *error) {
    execute(tables, "COMMIT");
    for (int table = 0; table < SQLITE_TABLES; table++)
        sqlite3_finalize(tables->inserts[table]);
    int closed = sqlite3_close(tables->database);
    if (tables->error == SQLITE_OK)
        tables->error = closed;
    snprintf(error, 256, "%s", tables->error == SQLITE_OK ? "" : sqlite3_errstr(tables->error));
    return tables->error == SQLITE_OK;
}
