#include "workers_private.h"

#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "sql.h"
#include "timed.h"

static bool record(struct sd_worker *worker, sqlite3 *handle, struct sd_error *error) {
    struct sd_sql sql;
    char detail[64];
    static const char upsert[] = "INSERT OR REPLACE INTO heartbeats (name, at_ms, detail) VALUES (?, ?, ?)";
    snprintf(detail, sizeof detail, "%s of %d", worker->name, (int)getpid());
    if (!sd_sql_begin(&sql, handle, upsert, error))
        return false;
    sd_sql_text(&sql, 1, worker->place->figures.name);
    sd_sql_number(&sql, 2, sd_wall_ms());
    sd_sql_text(&sql, 3, detail);
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

/* Within its limit, or not at all. */
static bool heartbeat(struct sd_worker *worker, struct sd_error *error) {
    struct sd_pool *pool = worker->workers->pool;
    int64_t until = sd_now_ms() + worker->workers->config->heartbeat_limit_ms;
    sqlite3 *handle = sd_pool_take_within(pool, sd_left_ms(until), "heartbeat", NULL, error);
    if (handle == NULL)
        return false;
    sqlite3_busy_timeout(handle, sd_left_ms(until));
    bool done = record(worker, handle, error);
    sd_pool_give(pool, handle);
    return done;
}

void sd_worker_heartbeat(struct sd_loop *loop, void *of) {
    (void)loop;
    struct sd_worker *worker = of;
    struct sd_workers *workers = worker->workers;
    struct sd_error error;
    bool done = heartbeat(worker, &error);
    if (!done)
        sd_log(SD_LOG_WARNING, "a heartbeat of %s was not recorded: %s", worker->name, error.text);
    sd_lock_surely(&workers->lock);
    if (done)
        worker->place->figures.heartbeat_at_ms = sd_wall_ms();
    worker->place->figures.heartbeats += done;
    worker->place->figures.heartbeats_failed += !done;
    sd_unlock(&workers->lock);
    sd_metrics_count(workers->metrics, SD_SERIES_HEARTBEATS,
                     done ? "outcome=\"recorded\"" : "outcome=\"failed\"", 1);
}
