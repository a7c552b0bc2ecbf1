#include "workers_private.h"

#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "sql.h"
#include "text.h"
#include "timed.h"

enum { KEEPER_LIMIT_MS = 1000 }; /* it has others to look after */

/* A beat as it is recorded. */
struct beat {
    char name[16], detail[96];
};

static bool record(const struct beat *beat, sqlite3 *handle, struct sd_error *error) {
    struct sd_sql sql;
    static const char upsert[] = "INSERT OR REPLACE INTO heartbeats (name, at_ms, detail) VALUES (?, ?, ?)";
    if (!sd_sql_begin(&sql, handle, upsert, error))
        return false;
    sd_sql_text(&sql, 1, beat->name);
    sd_sql_number(&sql, 2, sd_wall_ms());
    sd_sql_text(&sql, 3, beat->detail);
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

/* Within its limit, or not at all. */
static bool record_within(struct sd_pool *pool, const struct beat *beat, int32_t ms, struct sd_error *error) {
    int64_t until = sd_now_ms() + ms;
    sqlite3 *handle = sd_pool_take_within(pool, sd_left_ms(until), "heartbeat", NULL, error);
    if (handle == NULL)
        return false;
    sqlite3_busy_timeout(handle, sd_left_ms(until));
    bool done = record(beat, handle, error);
    sd_pool_give(pool, handle);
    return done;
}

static void record_and_count(struct sd_workers *workers, struct sd_worker_place *place,
                             const struct beat *beat, int32_t ms) {
    struct sd_error error;
    bool done = record_within(workers->pool, beat, ms, &error);
    if (!done)
        sd_log(SD_LOG_WARNING, "a heartbeat of %s was not recorded: %s", beat->name, error.text);
    sd_lock_surely(&workers->lock);
    if (done)
        place->figures.heartbeat_at_ms = sd_wall_ms();
    place->beat_ms = sd_now_ms();
    place->figures.heartbeats += done;
    place->figures.heartbeats_failed += !done;
    sd_unlock(&workers->lock);
    sd_metrics_count(workers->metrics, SD_SERIES_HEARTBEATS,
                     done ? "outcome=\"recorded\"" : "outcome=\"failed\"", 1);
}

void sd_worker_heartbeat(struct sd_loop *loop, void *of) {
    (void)loop;
    struct sd_worker *worker = of;
    struct beat beat;
    sd_copy(beat.name, sizeof beat.name, worker->place->figures.name);
    snprintf(beat.detail, sizeof beat.detail, "%s of %d", worker->name, (int)getpid());
    record_and_count(worker->workers, worker->place, &beat, worker->workers->config->heartbeat_limit_ms);
}

void sd_worker_heartbeat_of_busy(struct sd_worker *worker, const struct sd_worker_job *job) {
    const struct sd_config *config = worker->workers->config;
    struct sd_worker_place *place = worker->place;
    struct beat beat;
    int64_t now = sd_now_ms();
    sd_lock_surely(&worker->workers->lock);
    bool due = now >= place->beat_ms + config->worker_heartbeat_ms;
    sd_unlock(&worker->workers->lock);
    if (!due || now < job->started_ms + config->worker_heartbeat_ms) /* its own timer's, still */
        return;
    sd_copy(beat.name, sizeof beat.name, place->figures.name);
    snprintf(beat.detail, sizeof beat.detail, "%s of %d, with task %lld for %lld ms", worker->name,
             (int)getpid(), (long long)job->item.id, (long long)(now - job->started_ms));
    record_and_count(worker->workers, place, &beat,
                     config->heartbeat_limit_ms < KEEPER_LIMIT_MS ? config->heartbeat_limit_ms
                                                                  : KEEPER_LIMIT_MS);
}
