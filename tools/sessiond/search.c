#include "search.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "http_client.h"
#include "lock_order.h"
#include "sql.h"
#include "timed.h"

enum { OPERATIONS_BETWEEN_LOOKS = 1000, BUSY_MS = 5000, MOST_BYTES = 48 * 1024 };

struct sd_search {
    const struct sd_config *config;
    _Atomic int32_t users; /* of the client: within a query, or waiting for their turn */
    lg_mutex_t client;     /* what follows; held over a query */
    sqlite3 *handle;       /* NULL: closed */
    int64_t used_ms;
    lg_mutex_t syntax; /* what follows; a few instructions on a database in memory */
    sqlite3 *empty;    /* with an index like that of the messages, and nothing in it */
    sqlite3_stmt *match;
};

/* What one query must not exceed. */
struct limits {
    const struct sd_cancel *cancel;
    int64_t until_ms;
};

static bool open_empty(struct sd_search *search, struct sd_error *error) {
    static const char index[] = "CREATE VIRTUAL TABLE message_index USING fts5(text)",
                      match[] = "SELECT 1 FROM message_index WHERE message_index MATCH ?";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(":memory:", &search->empty, flags, NULL) == SQLITE_OK &&
        sqlite3_exec(search->empty, index, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v3(search->empty, match, -1, SQLITE_PREPARE_PERSISTENT, &search->match, NULL) ==
            SQLITE_OK)
        return true;
    return sd_fail_busy(error, "database", 1, "search: %s", sqlite3_errmsg(search->empty));
}

struct sd_search *sd_search_create(const struct sd_config *config, struct sd_error *error) {
    struct sd_search *search = calloc(1, sizeof *search);
    if (search == NULL || lg_mutex_init(&search->client, "search.client", SD_LEVEL_CLIENT) != 0 ||
        lg_mutex_init(&search->syntax, "search.syntax", SD_LEVEL_LEAF) != 0) {
        free(search);
        sd_fail_busy(error, "no_memory", 1, "no memory for the search client");
        return NULL;
    }
    lg_mutex_set_group(&search->client, &sd_held_over_io);
    search->config = config;
    if (open_empty(search, error))
        return search;
    sd_search_destroy(search);
    return NULL;
}

/* Under the client's lock. */
static void close_handle(struct sd_search *search) {
    sqlite3_close(search->handle);
    search->handle = NULL;
}

void sd_search_destroy(struct sd_search *search) {
    if (search == NULL)
        return;
    close_handle(search);
    sqlite3_finalize(search->match);
    sqlite3_close(search->empty);
    lg_mutex_destroy(&search->syntax);
    lg_mutex_destroy(&search->client);
    free(search);
}

static bool open_handle(struct sd_search *search, struct sd_error *error) {
    char path[SD_PATH + 32];
    if (search->handle != NULL)
        return true;
    snprintf(path, sizeof path, "%s/sessiond.db", search->config->data_dir);
    if (sqlite3_open_v2(path, &search->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK) {
        sqlite3_busy_timeout(search->handle, BUSY_MS);
        return true;
    }
    sd_fail_busy(error, "database", 1, "search: %s", sqlite3_errmsg(search->handle));
    close_handle(search);
    return false;
}

static bool no_query(sqlite3 *handle, struct sd_error *error) {
    return sd_fail_field(error, "query", "it is no full-text query: %s", sqlite3_errmsg(handle));
}

static bool collect(struct sd_sql *sql, struct sd_text *answer, struct sd_error *error) {
    const char *separator = "";
    bool more = false;
    sd_text_add(answer, "{\"hits\":[");
    while (sd_sql_row(sql) && !(more = answer->length > MOST_BYTES)) {
        sd_text_format(answer, "%s{\"message\":%lld,\"session\":%lld,\"text\":", separator,
                       (long long)sd_sql_get_number(sql, 0), (long long)sd_sql_get_number(sql, 1));
        sd_text_json(answer, sd_sql_get_text(sql, 2));
        sd_text_add(answer, "}");
        separator = ",";
    }
    sd_text_format(answer, "]%s}", more ? ",\"truncated\":true" : "");
    /* A statement that was prepared fails that way on its MATCH alone. */
    bool not_understood = sql->result == SQLITE_ERROR;
    return sd_sql_end(sql, not_understood ? NULL : error) || (not_understood && no_query(sql->handle, error));
}

/* Newest first, which the index gives without sorting. */
static bool ask(sqlite3 *handle, int64_t user, const char *query, int32_t limit, struct sd_text *answer,
                struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(
            &sql, handle,
            "SELECT m.id, m.session_id, m.text FROM message_index i JOIN messages m ON m.id = i.rowid"
            " WHERE message_index MATCH ? AND m.user_id = ? ORDER BY i.rowid DESC LIMIT ?",
            error))
        return false;
    sd_sql_text(&sql, 1, query);
    sd_sql_number(&sql, 2, user);
    sd_sql_number(&sql, 3, limit);
    return collect(&sql, answer, error);
}

static int look(void *of) {
    const struct limits *limits = of;
    return sd_cancelled(limits->cancel) || sd_left_ms(limits->until_ms) == 0;
}

/* Under the client's lock.  An error of the handle's closes it: the next one is new. */
static bool query_client(struct sd_search *search, int64_t user, const char *query, int32_t limit,
                         struct limits *limits, struct sd_cancel *cancel, struct sd_text *answer,
                         struct sd_error *error) {
    struct sd_error told = {0};
    if (!open_handle(search, error))
        return false;
    sd_cancel_use(cancel, search->handle);
    sqlite3_progress_handler(search->handle, OPERATIONS_BETWEEN_LOOKS, look, limits);
    bool done = ask(search->handle, user, query, limit, answer, &told);
    sd_cancel_use(cancel, NULL);
    sqlite3_progress_handler(search->handle, 0, NULL, NULL);
    search->used_ms = sd_now_ms();
    if (done)
        return true;
    bool late = !sd_cancelled(cancel) && sd_left_ms(limits->until_ms) == 0;
    if (late)
        sd_fail(&told, 504, "time_limit", "the search took too long");
    else if (told.status != 400 && sd_cancel_check(cancel, &told))
        close_handle(search);
    if (error != NULL)
        *error = told;
    return false;
}

static bool query_url(const char *url, int64_t user, const char *query, int32_t limit, int32_t limit_ms,
                      struct sd_cancel *cancel, struct sd_text *answer, struct sd_error *error) {
    struct sd_text request = {0};
    sd_text_format(&request, "{\"user\":%lld,\"limit\":%d,\"query\":", (long long)user, limit);
    sd_text_json(&request, query);
    sd_text_add(&request, "}");
    bool done = request.failed ? sd_fail_busy(error, "no_memory", 1, "no memory for a request")
                               : sd_http_post(url, request.bytes, limit_ms, cancel, answer, error);
    sd_text_free(&request);
    return done;
}

bool sd_search_query(struct sd_search *search, int64_t user, const char *query, int32_t limit,
                     int32_t limit_ms, struct sd_cancel *cancel, struct sd_text *answer,
                     struct sd_error *error) {
    struct limits limits = {cancel, sd_now_ms() + limit_ms};
    bool done = false;
    if (search->config->search_url[0] != 0)
        return query_url(search->config->search_url, user, query, limit, limit_ms, cancel, answer, error);
    atomic_fetch_add(&search->users, 1);
    if (sd_lock_within(&search->client, sd_cancel_left_ms(cancel, limit_ms), error)) {
        done = query_client(search, user, query, limit, &limits, cancel, answer, error);
        sd_unlock(&search->client);
    }
    atomic_fetch_sub(&search->users, 1);
    return done;
}

bool sd_search_check(struct sd_search *search, const char *query, struct sd_error *error) {
    if (search->config->search_url[0] != 0) /* which has a language of its own */
        return true;
    if (!sd_lock_soon(&search->syntax, error))
        return false;
    bool well = sqlite3_bind_text(search->match, 1, query, -1, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(search->match) == SQLITE_DONE;
    if (!well)
        no_query(search->empty, error);
    sqlite3_reset(search->match);
    sqlite3_clear_bindings(search->match);
    sd_unlock(&search->syntax);
    return well;
}

void sd_search_close_idle(struct sd_search *search) {
    if (lg_mutex_trylock(&search->client) != 0)
        return;
    int64_t idle_ms = sd_now_ms() - search->used_ms;
    if (atomic_load(&search->users) == 0 && idle_ms >= search->config->search_idle_s * 1000LL)
        close_handle(search);
    sd_unlock(&search->client);
}

bool sd_search_open(struct sd_search *search, int32_t *users) {
    *users = atomic_load(&search->users);
    if (lg_mutex_trylock(&search->client) != 0)
        return true; /* in use */
    bool open = search->handle != NULL;
    sd_unlock(&search->client);
    return open;
}
