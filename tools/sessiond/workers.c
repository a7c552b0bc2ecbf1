#include "workers_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "timed.h"
#include "wakeup.h"

static bool open_descriptors(struct sd_workers *workers, struct sd_error *error) {
    workers->wake = workers->stop = -1;
    return sd_wakeup_open(&workers->wake, error) && sd_wakeup_open(&workers->stop, error);
}

struct sd_workers *sd_workers_create(const struct sd_config *config, struct sd_pool *pool,
                                     struct sd_metrics *metrics, struct sd_error *error) {
    size_t places = (size_t)config->workers;
    struct sd_workers *workers = calloc(1, sizeof *workers + places * sizeof(struct sd_worker_place));
    if (workers == NULL || lg_mutex_init(&workers->lock, "workers.lock", SD_LEVEL_LEAF) != 0) {
        free(workers);
        sd_fail_busy(error, "no_memory", 1, "no memory for workers");
        return NULL;
    }
    workers->config = config;
    workers->pool = pool;
    workers->metrics = metrics;
    workers->count = config->workers;
    workers->boot.fd = -1;
    for (int32_t i = 0; i < workers->count; i++)
        snprintf(workers->places[i].figures.name, sizeof workers->places[i].figures.name, "worker-%hu",
                 (unsigned short)(i + 1));
    if (open_descriptors(workers, error) && sd_boot_open(&workers->boot, config->data_dir, error))
        return workers;
    sd_workers_destroy(workers);
    return NULL;
}

bool sd_workers_handle(struct sd_workers *workers, const char *name, sd_queue_handler *handler, void *user,
                       struct sd_error *error) {
    if (workers->handler_count == SD_WORKER_HANDLERS)
        return sd_fail(error, 500, "too_many_handlers", "no room for a handler of %s", name);
    workers->handlers[workers->handler_count].name = name;
    workers->handlers[workers->handler_count].handler = handler;
    workers->handlers[workers->handler_count++].user = user;
    return true;
}

static bool recover(struct sd_workers *workers, struct sd_error *error) {
    bool any;
    sqlite3 *handle = sd_pool_take(workers->pool, "recovery", NULL, error);
    if (handle == NULL)
        return false;
    bool done = sd_workers_recover(workers, handle, &any, error);
    sd_pool_give(workers->pool, handle);
    return done;
}

bool sd_workers_start(struct sd_workers *workers, struct sd_error *error) {
    if (!recover(workers, error))
        return false;
    for (int32_t i = 0; i < workers->count; i++)
        if (!sd_worker_start(workers, &workers->places[i], error))
            return false;
    workers->keeper = sd_loop_thread_start("worker-keeper", workers->config->loop_heartbeat_ms,
                                           sd_workers_keep, NULL, workers, error);
    return workers->keeper != NULL;
}

void sd_workers_wake(struct sd_workers *workers) { sd_wakeup_set(workers->wake); }

/* ---- the end ---- */

/* All there are, in one list; the keeper has ended. */
static struct sd_worker *take_all(struct sd_workers *workers) {
    struct sd_worker *all = workers->old;
    workers->old = NULL;
    sd_lock_surely(&workers->lock);
    for (int32_t i = 0; i < workers->count; i++) {
        struct sd_worker *worker = workers->places[i].now;
        if (worker == NULL)
            continue;
        worker->next = all;
        all = worker;
        workers->places[i].now = NULL;
    }
    sd_unlock(&workers->lock);
    return all;
}

/* Those that did not end in time. */
static struct sd_worker *join_within(struct sd_worker *all, int32_t ms) {
    struct sd_worker *left = NULL;
    int64_t until = sd_now_ms() + ms;
    for (struct sd_worker *worker = all, *next; worker != NULL; worker = next) {
        next = worker->next;
        if (sd_thread_join_within(worker->thread, sd_left_ms(until))) {
            sd_worker_job_release(worker->job);
            free(worker);
            continue;
        }
        worker->next = left;
        left = worker;
    }
    return left;
}

static void cancel_all(struct sd_worker *all) {
    for (struct sd_worker *worker = all; worker != NULL; worker = worker->next) {
        struct sd_worker_job *job = sd_worker_job_hold(worker);
        if (job != NULL)
            sd_cancel_ask(&job->cancel, SD_CANCEL_SHUTDOWN);
        sd_worker_job_release(job);
    }
}

void sd_workers_quiesce(struct sd_workers *workers) {
    atomic_store(&workers->stopping, true);
    sd_wakeup_set(workers->stop);
}

unsigned sd_workers_stop(struct sd_workers *workers, int32_t ms) {
    sd_workers_quiesce(workers);
    if (workers->keeper != NULL)
        sd_loop_thread_stop(workers->keeper);
    workers->keeper = NULL;
    struct sd_worker *left = join_within(take_all(workers), ms);
    cancel_all(left);
    workers->old = join_within(left, ms);
    unsigned count = 0;
    for (struct sd_worker *worker = workers->old; worker != NULL; worker = worker->next, count++) {
        sd_log(SD_LOG_WARNING, "%s does not end; its task stays in the queue", worker->name);
        sd_thread_abandon(worker->thread);
    }
    return count;
}

void sd_workers_destroy(struct sd_workers *workers) {
    if (workers == NULL || workers->old != NULL) /* a thread uses it still */
        return;
    sd_wakeup_close(&workers->wake);
    sd_wakeup_close(&workers->stop);
    sd_boot_close(&workers->boot);
    lg_mutex_destroy(&workers->lock);
    free(workers);
}

/* ---- figures ---- */

size_t sd_workers_figures(struct sd_workers *workers, struct sd_worker_figures *figures, size_t room) {
    size_t count = 0;
    int64_t now = sd_now_ms();
    sd_lock_surely(&workers->lock);
    for (; count < room && count < (size_t)workers->count; count++) {
        const struct sd_worker_place *place = &workers->places[count];
        const struct sd_worker_job *job = place->now == NULL ? NULL : place->now->job;
        figures[count] = place->figures;
        figures[count].alive = place->now != NULL && !sd_thread_ended(place->now->thread);
        figures[count].busy = job != NULL;
        figures[count].item = job == NULL ? 0 : job->item.id;
        figures[count].busy_ms = job == NULL ? 0 : now - job->started_ms;
    }
    sd_unlock(&workers->lock);
    return count;
}
