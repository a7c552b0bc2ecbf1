#include "jobs.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "event_loop.h"
#include "log.h"
#include "loop_thread.h"
#include "queue.h"
#include "retention.h"

enum { LEAST_PING_MS = 20 };

/* Work that may take long, so that it is a task and the loop goes on.  Of the jobs and of
 * the task, which may end after them; the last one frees it. */
struct chore {
    const char *name;
    sd_task_body *body;
    int32_t limit_ms;
    const struct sd_config *config;
    struct sd_limiter *limiter;
    struct sd_pool *pool;
    struct sd_dependencies *dependencies;
    struct sd_watch *watch;
    _Atomic int references;
    _Atomic bool busy; /* the last round is not over */
};

struct sd_jobs {
    struct sd_job_world world;
    struct sd_loop_thread *thread;
    struct chore *cleaning, *purging, *counting;
};

static void look_at_loops(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_watch_loops(((struct sd_jobs *)of)->world.watch);
}

static void look_at_pools(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_watch_pools(((struct sd_jobs *)of)->world.watch);
}

static void look_at_memory(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_watch_memory(((struct sd_jobs *)of)->world.watch);
}

static void look_for_alerts(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_alerts_look(((struct sd_jobs *)of)->world.alerts);
}

static void drop_results(struct sd_loop *loop, void *of) {
    struct sd_jobs *jobs = of;
    (void)loop;
    sd_tasks_drop_old(jobs->world.tasks);
    sd_dependencies_close_idle(jobs->world.dependencies);
}

static void ping(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_events_ping(((struct sd_jobs *)of)->world.events);
}

/* --- chores */

static void drop(struct chore *chore) {
    if (chore != NULL && atomic_fetch_sub(&chore->references, 1) == 1)
        free(chore);
}

static bool clean_up(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct chore *chore = of;
    size_t dropped = 0, before = sd_limiter_buckets(chore->limiter);
    if (!sd_cancel_check(sd_task_cancel(task), error) ||
        !sd_limiter_clean_up(chore->limiter, chore->limit_ms, &dropped, error))
        return false;
    sd_text_format(result, "{\"before\":%zu,\"dropped\":%zu}", before, dropped);
    return true;
}

typedef bool sd_purge(sqlite3 *handle, const struct sd_config *config, int64_t *purged,
                      struct sd_error *error);

static bool purge_queue(sqlite3 *handle, const struct sd_config *config, int64_t *purged,
                        struct sd_error *error) {
    int64_t before_ms = sd_wall_ms() - (int64_t)config->kept_queue_s * 1000;
    return sd_queue_purge(handle, before_ms, purged, error);
}

static const struct {
    const char *what, *name;
    sd_purge *some; /* a few at a time, so that others may write in between */
} purges[] = {{"durable tasks that were done long ago", "queue", purge_queue},
              {"messages that are old, or too many", "messages", sd_retention_messages}};
enum { PURGES = sizeof purges / sizeof purges[0] };

static bool purge_all(sqlite3 *handle, const struct chore *chore, const struct sd_cancel *cancel, int which,
                      struct sd_text *result, struct sd_error *error) {
    int64_t purged = 0, all = 0;
    bool well;
    do {
        well = sd_cancel_check(cancel, error) && purges[which].some(handle, chore->config, &purged, error);
        all += purged;
    } while (well && purged > 0);
    if (all > 0)
        sd_log(SD_LOG_INFO, "%lld %s are forgotten", (long long)all, purges[which].what);
    sd_text_format(result, "\"%s\":%lld,", purges[which].name, (long long)all);
    return well;
}

static bool purge(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct chore *chore = of;
    sqlite3 *handle = sd_pool_take(chore->pool, chore->name, sd_task_cancel(task), error);
    bool well = handle != NULL;
    sd_text_add(result, "{");
    for (int which = 0; which < PURGES && well; which++)
        well = purge_all(handle, chore, sd_task_cancel(task), which, result, error);
    if (handle != NULL)
        sd_pool_give(chore->pool, handle);
    int files = sd_dependencies_sweep(chore->dependencies);
    if (files > 0)
        sd_log(SD_LOG_INFO, "%d files that were begun and never finished are removed", files);
    sd_text_format(result, "\"files\":%d}", files);
    return well;
}

static bool look_at_backlog(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct chore *chore = of;
    (void)result;
    return sd_cancel_check(sd_task_cancel(task), error) && sd_watch_queue(chore->watch, error);
}

static void chore_ended(uint64_t id, enum sd_task_state state, void *of) {
    struct chore *chore = of;
    if (state != SD_TASK_COMPLETED)
        sd_log(SD_LOG_WARNING, "%s (task %llu) is %s; the next one tries again", chore->name,
               (unsigned long long)id, sd_task_state_name(state));
    atomic_store(&chore->busy, false);
    drop(chore);
}

static void begin_chore(struct sd_loop *loop, struct sd_jobs *jobs, struct chore *chore) {
    struct sd_task_request request = {.name = chore->name,
                                      .kind = SD_TASK_GENERAL,
                                      .user = SD_USER_NONE,
                                      .limit_ms = chore->limit_ms,
                                      .body = chore->body,
                                      .done = chore_ended,
                                      .argument = chore};
    struct sd_error error;
    uint64_t id;
    (void)loop;
    if (atomic_exchange(&chore->busy, true))
        return;
    atomic_fetch_add(&chore->references, 1);
    if (!sd_tasks_submit(jobs->world.tasks, &request, &id, &error))
        sd_log(SD_LOG_WARNING, "%s was refused: %s", chore->name, error.text);
}

static void begin_clean_up(struct sd_loop *loop, void *of) {
    struct sd_jobs *jobs = of;
    begin_chore(loop, jobs, jobs->cleaning);
}

/* What waits for loops is seen at once, whatever becomes of the task. */
static void begin_backlog(struct sd_loop *loop, void *of) {
    struct sd_jobs *jobs = of;
    sd_watch_backlog(jobs->world.watch);
    begin_chore(loop, jobs, jobs->counting);
}

static void begin_purge(struct sd_loop *loop, void *of) {
    struct sd_jobs *jobs = of;
    begin_chore(loop, jobs, jobs->purging);
}

/* --- */

static bool add(struct sd_loop *loop, bool wanted, int32_t every_ms, sd_loop_call *job, struct sd_jobs *jobs,
                struct sd_error *error) {
    return !wanted || sd_loop_timer(loop, every_ms, every_ms, job, jobs, error) != NULL;
}

static int32_t ping_every(int32_t idle_ms) {
    return idle_ms / 4 < LEAST_PING_MS ? LEAST_PING_MS : idle_ms / 4;
}

static bool begin(struct sd_loop *loop, void *of, struct sd_error *error) {
    struct sd_jobs *jobs = of;
    const struct sd_config *config = jobs->world.config;
    return add(loop, config->job_limiter_cleanup, config->limiter_cleanup_ms, begin_clean_up, jobs, error) &&
           add(loop, config->job_pool_figures, config->pool_figures_ms, look_at_pools, jobs, error) &&
           add(loop, config->job_backlog, config->loop_heartbeat_ms, look_at_loops, jobs, error) &&
           add(loop, config->job_backlog, config->backlog_ms, begin_backlog, jobs, error) &&
           add(loop, config->job_memory, config->memory_ms, look_at_memory, jobs, error) &&
           add(loop, config->job_alerts, config->alerts_ms, look_for_alerts, jobs, error) &&
           add(loop, config->job_results, config->results_ms, drop_results, jobs, error) &&
           add(loop, config->job_queue, config->queue_purge_ms, begin_purge, jobs, error) &&
           add(loop, true, ping_every(config->subscriber_ping_ms), ping, jobs, error);
}

static void end(struct sd_loop *loop, void *of) { (void)loop, (void)of; }

static struct chore *prepare(const struct sd_job_world *world, const char *name, sd_task_body *body,
                             int32_t limit_ms) {
    struct chore *chore = calloc(1, sizeof *chore);
    if (chore == NULL)
        return NULL;
    chore->name = name;
    chore->body = body;
    chore->limit_ms = limit_ms;
    chore->config = world->config;
    chore->limiter = world->limiter;
    chore->pool = world->pool;
    chore->dependencies = world->dependencies;
    chore->watch = world->watch;
    atomic_init(&chore->references, 1);
    return chore;
}

static void free_jobs(struct sd_jobs *jobs) {
    drop(jobs->cleaning);
    drop(jobs->purging);
    drop(jobs->counting);
    free(jobs);
}

struct sd_jobs *sd_jobs_start(const struct sd_job_world *world, struct sd_error *error) {
    struct sd_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the jobs");
        return NULL;
    }
    jobs->world = *world;
    jobs->cleaning = prepare(world, "limiter-clean-up", clean_up, world->config->limiter_cleanup_limit_ms);
    jobs->purging = prepare(world, "purge", purge, world->config->general_limit_ms);
    jobs->counting = prepare(world, "queue-figures", look_at_backlog, world->config->general_limit_ms);
    if (jobs->cleaning == NULL || jobs->purging == NULL || jobs->counting == NULL)
        sd_fail_busy(error, "no_memory", 1, "no memory for the jobs");
    else
        jobs->thread =
            sd_loop_thread_start("jobs", world->config->loop_heartbeat_ms, begin, end, jobs, error);
    if (jobs->thread != NULL)
        return jobs;
    free_jobs(jobs);
    return NULL;
}

void sd_jobs_stop(struct sd_jobs *jobs) {
    sd_loop_thread_stop(jobs->thread);
    free_jobs(jobs);
}
