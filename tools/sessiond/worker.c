/* One worker: a thread with a loop that looks into the queue now and then, and when it is
 * woken, and does one task a round. */
#include "workers_private.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "sql.h"
#include "timed.h"
#include "wakeup.h"

enum { SETTLE_TRIES = 5 };

/* ---- jobs ---- */

static struct sd_worker_job *make_job(const struct sd_workers *workers, const struct sd_queue_item *item,
                                      struct sd_error *error) {
    struct sd_worker_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a durable task");
        return NULL;
    }
    atomic_init(&job->references, 1);
    job->item = *item;
    job->started_ms = sd_now_ms();
    if (sd_cancel_init(&job->cancel, job->started_ms + workers->config->worker_limit_ms, error))
        return job;
    free(job);
    return NULL;
}

struct sd_worker_job *sd_worker_job_hold(struct sd_worker *worker) {
    sd_lock_surely(&worker->workers->lock);
    struct sd_worker_job *job = worker->job;
    if (job != NULL)
        atomic_fetch_add(&job->references, 1);
    sd_unlock(&worker->workers->lock);
    return job;
}

void sd_worker_job_release(struct sd_worker_job *job) {
    if (job == NULL || atomic_fetch_sub(&job->references, 1) != 1)
        return;
    sd_cancel_destroy(&job->cancel);
    free(job);
}

static void set_job(struct sd_worker *worker, struct sd_worker_job *job) {
    sd_lock_surely(&worker->workers->lock);
    worker->job = job;
    sd_unlock(&worker->workers->lock);
}

/* ---- outcomes ---- */

void sd_worker_count(struct sd_workers *workers, struct sd_worker_place *place,
                     enum sd_worker_outcome outcome) {
    static const char *const labels[] = {"outcome=\"done\"", "outcome=\"retried\"", "outcome=\"failed\""};
    if (outcome == SD_WORKER_NOTHING)
        return;
    sd_lock_surely(&workers->lock);
    uint64_t *const counts[] = {&place->figures.done, &place->figures.retried, &place->figures.failed};
    ++*counts[outcome];
    sd_unlock(&workers->lock);
    sd_metrics_count(workers->metrics, SD_SERIES_QUEUE_TASKS, labels[outcome], 1);
}

static bool is(const struct sd_error *error, const char *code) { return strcmp(error->code, code) == 0; }

enum sd_worker_outcome sd_worker_give_up(sqlite3 *handle, const struct sd_queue_item *item, const char *why) {
    struct sd_error error;
    bool retried = false, done = false;
    for (int i = 0; i < SETTLE_TRIES && !done; i++)
        if (!(done = sd_queue_give_up(handle, item, why, &retried, &error)) && !is(&error, "busy"))
            break;
    if (!done) {
        sd_log(SD_LOG_ERROR, "durable task %lld %s: %s; but that is not recorded, so it is tried again: %s",
               (long long)item->id, item->name, why, error.text);
        return SD_WORKER_NOTHING;
    }
    sd_log(SD_LOG_WARNING, "durable task %lld %s: %s: %s", (long long)item->id, item->name, why,
           retried ? "tried once more" : "failed");
    return retried ? SD_WORKER_RETRIED : SD_WORKER_FAILED;
}

static void put_back(sqlite3 *handle, const struct sd_queue_item *item) {
    struct sd_error error;
    for (int i = 0; i < SETTLE_TRIES; i++)
        if (sd_queue_put_back(handle, item, &error) || !is(&error, "busy"))
            return;
    sd_log(SD_LOG_WARNING, "durable task %lld stays claimed for now: %s", (long long)item->id, error.text);
}

/* The effect is rolled back in any case. */
static enum sd_worker_outcome settle_failure(sqlite3 *handle, struct sd_worker_job *job,
                                             struct sd_error *error) {
    if (is(error, "claim_lost")) {
        sd_sql_roll_back(handle);
        sd_log(SD_LOG_WARNING, "%s", error->text);
        return SD_WORKER_NOTHING;
    }
    sd_cancel_check(&job->cancel, error); /* not what followed from it */
    if (!is(error, "busy") && !is(error, "shutting_down"))
        return sd_worker_give_up(handle, &job->item, error->text);
    put_back(handle, &job->item);
    return SD_WORKER_NOTHING;
}

/* ---- one task ---- */

static bool call_handler(struct sd_workers *workers, sqlite3 *handle, struct sd_worker_job *job,
                         struct sd_error *error) {
    for (size_t i = 0; i < workers->handler_count; i++)
        if (strcmp(workers->handlers[i].name, job->item.name) == 0)
            return workers->handlers[i].handler(handle, &job->item, &job->cancel, workers->handlers[i].user,
                                                error);
    return sd_fail(error, 500, "no_handler", "nobody handles %s", job->item.name);
}

static bool perform(struct sd_worker *worker, sqlite3 *handle, struct sd_worker_job *job,
                    struct sd_error *error) {
    sd_cancel_use(&job->cancel, handle);
    bool done = sd_queue_claimed_begin(handle, &job->item, error) &&
                call_handler(worker->workers, handle, job, error) &&
                sd_queue_complete(handle, &job->item, error);
    sd_cancel_use(&job->cancel, NULL);
    return done;
}

static enum sd_worker_outcome do_claimed(struct sd_worker *worker, sqlite3 *handle,
                                         const struct sd_queue_item *item) {
    struct sd_error error;
    enum sd_worker_outcome outcome = SD_WORKER_DONE;
    struct sd_worker_job *job = make_job(worker->workers, item, &error);
    if (job == NULL) {
        put_back(handle, item);
        return SD_WORKER_NOTHING;
    }
    set_job(worker, job);
    lg_operation(item->name);
    if (!perform(worker, handle, job, &error))
        outcome = settle_failure(handle, job, &error);
    lg_operation_end();
    set_job(worker, NULL);
    sd_worker_job_release(job);
    return outcome;
}

static enum sd_worker_outcome claim_and_do(struct sd_worker *worker, sqlite3 *handle) {
    struct sd_workers *workers = worker->workers;
    struct sd_queue_item item;
    struct sd_error error;
    if (!sd_queue_claim(handle, worker->name, workers->boot.name, &item, &error)) {
        if (!is(&error, "busy"))
            sd_log(SD_LOG_WARNING, "%s cannot look into the queue: %s", worker->name, error.text);
        return SD_WORKER_NOTHING;
    }
    if (item.id == 0)
        return SD_WORKER_NOTHING;
    sd_workers_wake(workers); /* another one, or this one in its next round: there may be more */
    return do_claimed(worker, handle, &item);
}

struct loan {
    struct sd_worker *worker;
    sqlite3 *handle;
};

/* Also where the thread ends within a task: the handle is its own, so it gives it back; and
 * the task stays in worker->job for the keeper. */
static void give_handle(void *of) {
    struct loan *loan = of;
    if (loan->worker->job != NULL) /* this thread's own; only it changes that */
        sd_cancel_use(&loan->worker->job->cancel, NULL);
    sd_pool_give(loan->worker->workers->pool, loan->handle);
}

static void look(struct sd_worker *worker) {
    struct sd_error error;
    if (atomic_load(&worker->workers->stopping) || atomic_load(&worker->replaced))
        return;
    enum sd_worker_outcome outcome;
    struct loan loan = {worker, sd_pool_take(worker->workers->pool, "worker", NULL, &error)};
    if (loan.handle == NULL) {
        sd_log(SD_LOG_WARNING, "%s: %s", worker->name, error.text);
        return;
    }
    pthread_cleanup_push(give_handle, &loan);
    outcome = claim_and_do(worker, loan.handle);
    pthread_cleanup_pop(1);
    sd_worker_count(worker->workers, worker->place, outcome);
}

/* ---- the thread ---- */

static void poll_due(struct sd_loop *loop, void *of) {
    struct sd_worker *worker = of;
    look(worker);
    if (atomic_load(&worker->replaced))
        sd_loop_stop(loop);
}

static void woken(struct sd_loop *loop, uint32_t events, void *of) {
    struct sd_worker *worker = of;
    (void)events;
    if (sd_wakeup_clear(worker->workers->wake)) /* else another one was faster */
        poll_due(loop, of);
}

static void stopped(struct sd_loop *loop, uint32_t events, void *of) {
    (void)events, (void)of;
    sd_loop_stop(loop);
}

static bool prepare(struct sd_worker *worker, struct sd_loop *loop, struct sd_error *error) {
    const struct sd_workers *workers = worker->workers;
    const struct sd_config *config = workers->config;
    return sd_loop_watch(loop, workers->stop, EPOLLIN, stopped, worker, error) &&
           sd_loop_watch(loop, workers->wake, EPOLLIN | EPOLLEXCLUSIVE, woken, worker, error) &&
           sd_loop_timer(loop, 0, config->worker_poll_ms, poll_due, worker, error) != NULL &&
           sd_loop_timer(loop, 0, config->worker_heartbeat_ms, sd_worker_heartbeat, worker, error) != NULL;
}

static void end_loop(void *loop) { sd_loop_destroy(loop); }

static void run(void *of) {
    struct sd_worker *worker = of;
    const struct sd_config *config = worker->workers->config;
    struct sd_error error;
    /* A task may keep its loop for as long as it may run. */
    struct sd_loop *loop =
        sd_loop_create(worker->place->figures.name,
                       config->worker_limit_ms + config->cancel_grace_ms + config->loop_heartbeat_ms, &error);
    if (loop == NULL) {
        sd_log(SD_LOG_ERROR, "%s has no loop: %s", worker->name, error.text);
        return;
    }
    pthread_cleanup_push(end_loop, loop);
    if (prepare(worker, loop, &error))
        sd_loop_run(loop);
    else
        sd_log(SD_LOG_ERROR, "%s cannot begin: %s", worker->name, error.text);
    pthread_cleanup_pop(1);
}

bool sd_worker_start(struct sd_workers *workers, struct sd_worker_place *place, struct sd_error *error) {
    struct sd_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return sd_fail_busy(error, "no_memory", 1, "no memory for a worker");
    worker->workers = workers;
    worker->place = place;
    snprintf(worker->name, sizeof worker->name, "%s.%u", place->figures.name, place->figures.replaced);
    worker->thread = sd_thread_start(place->figures.name, run, worker, error);
    if (worker->thread == NULL) {
        free(worker);
        return false;
    }
    sd_lock_surely(&workers->lock);
    place->now = worker;
    sd_unlock(&workers->lock);
    return true;
}

void sd_worker_join(struct sd_worker *worker) {
    sd_thread_join(worker->thread);
    sd_worker_job_release(worker->job); /* of one that died within a task */
    free(worker);
}
