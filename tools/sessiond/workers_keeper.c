/* Who replaces workers that died or do not come back from a task in time. */
#include "workers_private.h"

#include "clock.h"
#include "log.h"
#include "timed.h"

enum { LOOK_MS = 200 };

static void give_up(struct sd_workers *workers, struct sd_worker_place *place,
                    const struct sd_queue_item *item, const char *why) {
    struct sd_error error;
    sqlite3 *handle = sd_pool_take(workers->pool, "worker-keeper", NULL, &error);
    if (handle == NULL) {
        sd_log(SD_LOG_ERROR, "durable task %lld stays claimed until the next start: %s", (long long)item->id,
               error.text);
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

static void look(struct sd_loop *loop, void *of) {
    struct sd_workers *workers = of;
    (void)loop;
    for (int32_t i = 0; i < workers->count && !atomic_load(&workers->stopping); i++)
        look_at_place(workers, &workers->places[i]);
    join_old(workers);
}

bool sd_workers_keep(struct sd_loop *loop, void *workers, struct sd_error *error) {
    return sd_loop_timer(loop, LOOK_MS, LOOK_MS, look, workers, error) != NULL;
}
