/* Who replaces workers that died or do not come back from a task in time. */
#include "workers_private.h"

#include "clock.h"
#include "log.h"
#include "timed.h"

enum {
    LOOK_MS = 200,
    CLAIM_LOOK_MS = 1000,
    CLAIM_AGE_MS = 1000,
    CLAIM_WAIT_MS = 500,
    CLAIMS = 16,
    BOOTS = 64
};

static void give_up(struct sd_workers *workers, struct sd_worker_place *place,
                    const struct sd_queue_item *item, const char *why) {
    struct sd_error error;
    sqlite3 *handle = sd_pool_take(workers->pool, "worker-keeper", NULL, &error);
    if (handle == NULL) {
        sd_log(SD_LOG_ERROR, "durable task %lld stays claimed for now: %s", (long long)item->id, error.text);
        return;
    }
    enum sd_worker_outcome outcome = sd_worker_give_up(handle, item, why);
    sd_pool_give(workers->pool, handle);
    sd_worker_count(workers, place, outcome);
}

static void vacate(struct sd_workers *workers, struct sd_worker_place *place, const char *why) {
    sd_lock_surely(&workers->lock);
    struct sd_worker *worker = place->now;
    place->now = NULL;
    place->figures.replaced++;
    sd_unlock(&workers->lock);
    sd_log(SD_LOG_WARNING, "%s is replaced: %s", worker->name, why);
}

static void bury(struct sd_workers *workers, struct sd_worker_place *place, struct sd_worker *worker) {
    static const char why[] = "its worker died";
    struct sd_worker_job *job = sd_worker_job_hold(worker);
    vacate(workers, place, "its thread ended");
    if (job != NULL)
        give_up(workers, place, &job->item, why);
    sd_worker_job_release(job);
    sd_worker_join(worker);
}

/* Its own attempt to complete finds the claim lost. */
static void replace(struct sd_workers *workers, struct sd_worker_place *place, struct sd_worker *worker,
                    const struct sd_worker_job *job) {
    atomic_store(&worker->replaced, true);
    vacate(workers, place, "its task passed the time limit and does not answer");
    give_up(workers, place, &job->item, "it passed the time limit and did not answer");
    worker->next = workers->old;
    workers->old = worker;
}

static void look_at_job(struct sd_workers *workers, struct sd_worker_place *place, struct sd_worker *worker,
                        struct sd_worker_job *job) {
    const struct sd_config *config = workers->config;
    int64_t now = sd_now_ms(), asked = atomic_load(&job->asked_ms);
    if (now < job->started_ms + config->worker_limit_ms)
        return;
    if (asked == 0) {
        atomic_store(&job->asked_ms, now);
        sd_cancel_ask(&job->cancel, SD_CANCEL_TIME);
    } else if (now >= asked + config->cancel_grace_ms) {
        replace(workers, place, worker, job);
    }
}

static void look_at_place(struct sd_workers *workers, struct sd_worker_place *place) {
    struct sd_error error;
    struct sd_worker *worker = place->now; /* only this thread changes it now */
    if (worker == NULL) {
        if (!sd_worker_start(workers, place, &error))
            sd_log(SD_LOG_ERROR, "no worker for %s: %s", place->figures.name, error.text);
        return;
    }
    if (sd_thread_ended(worker->thread)) {
        bury(workers, place, worker);
        return;
    }
    struct sd_worker_job *job = sd_worker_job_hold(worker);
    if (job != NULL)
        look_at_job(workers, place, worker, job);
    if (job != NULL && place->now == worker)
        sd_worker_heartbeat_of_busy(worker, job);
    sd_worker_job_release(job);
}

static void join_old(struct sd_workers *workers) {
    struct sd_worker **link = &workers->old, *worker;
    while ((worker = *link) != NULL) {
        if (!sd_thread_ended(worker->thread)) {
            link = &worker->next;
            continue;
        }
        *link = worker->next;
        sd_worker_join(worker);
    }
}

/* ---- claims that nobody has: neither done nor given back while the database was busy ---- */

/* One that was replaced has lost its claim, or is about to. */
static bool somebody_has(struct sd_workers *workers, int64_t id) {
    bool has = false;
    sd_lock_surely(&workers->lock);
    for (int32_t i = 0; i < workers->count && !has; i++) {
        const struct sd_worker *worker = workers->places[i].now;
        has = worker != NULL && worker->job != NULL && worker->job->item.id == id;
    }
    sd_unlock(&workers->lock);
    return has;
}

/* Where a worker has it after all, between its claim and its job, it finds the claim lost. */
static bool reclaim(struct sd_workers *workers, sqlite3 *handle, const struct sd_queue_claim *claims,
                    size_t count) {
    struct sd_error error;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (somebody_has(workers, claims[i].id) ||
            !sd_queue_reclaim(handle, &claims[i], workers->boot.name, &error)) /* later, or it has ended */
            continue;
        sd_log(SD_LOG_WARNING, "durable task %lld was claimed by %s, which knows nothing of it: queued again",
               (long long)claims[i].id, claims[i].worker);
        any = true;
    }
    return any;
}

/* ---- claims of processes that are gone ---- */

bool sd_workers_recover(struct sd_workers *workers, sqlite3 *handle, bool *any, struct sd_error *error) {
    char boots[BOOTS][SD_BOOT_NAME];
    size_t count = 0;
    int64_t recovered = 0;
    *any = false;
    bool well = sd_queue_boots(handle, boots, BOOTS, &count, error);
    for (size_t i = 0; i < count && well; i++) {
        if (sd_boot_lives(workers->config->data_dir, boots[i]))
            continue;
        well = sd_queue_recover(handle, boots[i], &recovered, error);
        if (well && recovered > 0)
            sd_log(SD_LOG_INFO, "%lld durable tasks of a process that is gone are queued again",
                   (long long)recovered);
        *any |= well && recovered > 0;
    }
    return well;
}

static void look_for_claims(struct sd_workers *workers) {
    struct sd_queue_claim claims[CLAIMS];
    size_t count = 0;
    struct sd_error error;
    sqlite3 *handle = sd_pool_take_within(workers->pool, CLAIM_WAIT_MS, "worker-keeper", NULL, &error);
    if (handle == NULL)
        return;
    sqlite3_busy_timeout(handle, CLAIM_WAIT_MS);
    bool any = false;
    if (sd_workers_recover(workers, handle, &any, &error) &&
        sd_queue_claims(handle, workers->boot.name, sd_wall_ms() - CLAIM_AGE_MS, claims, CLAIMS, &count,
                        &error))
        any |= reclaim(workers, handle, claims, count);
    sd_pool_give(workers->pool, handle);
    if (any)
        sd_workers_wake(workers);
}

static void look(struct sd_loop *loop, void *of) {
    struct sd_workers *workers = of;
    (void)loop;
    for (int32_t i = 0; i < workers->count && !atomic_load(&workers->stopping); i++)
        look_at_place(workers, &workers->places[i]);
    join_old(workers);
    if (sd_now_ms() < workers->looked_ms + CLAIM_LOOK_MS || atomic_load(&workers->stopping))
        return;
    workers->looked_ms = sd_now_ms();
    look_for_claims(workers);
}

bool sd_workers_keep(struct sd_loop *loop, void *workers, struct sd_error *error) {
    return sd_loop_timer(loop, LOOK_MS, LOOK_MS, look, workers, error) != NULL;
}
