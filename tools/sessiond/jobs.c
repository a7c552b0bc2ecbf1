#include "jobs.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "event_loop.h"
#include "log.h"
#include "loop_thread.h"

enum { LEAST_PING_MS = 20 };

/* Of the jobs and of a task that may end after them; the last one frees it. */
struct cleaning {
    struct sd_limiter *limiter;
    int32_t limit_ms;
    _Atomic int references;
    _Atomic bool busy; /* the last round is not over */
};

struct sd_jobs {
    struct sd_job_world world;
    struct sd_loop_thread *thread;
    struct cleaning *cleaning;
};

static void look_at_loops(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_watch_loops(((struct sd_jobs *)of)->world.watch);
}

static void look_at_pools(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_watch_pools(((struct sd_jobs *)of)->world.watch);
}

static void look_at_backlog(struct sd_loop *loop, void *of) {
    (void)loop;
    sd_watch_backlog(((struct sd_jobs *)of)->world.watch);
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

/* --- the limiter's clean-up may take long: a task, so that the loop goes on */

static void drop(struct cleaning *cleaning) {
    if (atomic_fetch_sub(&cleaning->references, 1) == 1)
        free(cleaning);
}

static bool clean_up(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct cleaning *cleaning = of;
    size_t dropped = 0, before = sd_limiter_buckets(cleaning->limiter);
    if (!sd_cancel_check(sd_task_cancel(task), error) ||
        !sd_limiter_clean_up(cleaning->limiter, cleaning->limit_ms, &dropped, error))
        return false;
    sd_text_format(result, "{\"before\":%zu,\"dropped\":%zu}", before, dropped);
    return true;
}

static void cleaned_up(uint64_t id, enum sd_task_state state, void *of) {
    struct cleaning *cleaning = of;
    if (state != SD_TASK_COMPLETED)
        sd_log(SD_LOG_WARNING, "the rate limiter's clean-up (task %llu) is %s; the next one tries again",
               (unsigned long long)id, sd_task_state_name(state));
    atomic_store(&cleaning->busy, false);
    drop(cleaning);
}

static void begin_clean_up(struct sd_loop *loop, void *of) {
    struct sd_jobs *jobs = of;
    struct sd_task_request request = {.name = "limiter-clean-up",
                                      .kind = SD_TASK_GENERAL,
                                      .user = SD_USER_NONE,
                                      .limit_ms = jobs->world.config->limiter_cleanup_limit_ms,
                                      .body = clean_up,
                                      .done = cleaned_up,
                                      .argument = jobs->cleaning};
    struct sd_error error;
    uint64_t id;
    (void)loop;
    if (atomic_exchange(&jobs->cleaning->busy, true))
        return;
    atomic_fetch_add(&jobs->cleaning->references, 1);
    if (!sd_tasks_submit(jobs->world.tasks, &request, &id, &error))
        sd_log(SD_LOG_WARNING, "the rate limiter's clean-up was refused: %s", error.text);
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
           add(loop, config->job_backlog, config->backlog_ms, look_at_backlog, jobs, error) &&
           add(loop, config->job_memory, config->memory_ms, look_at_memory, jobs, error) &&
           add(loop, config->job_alerts, config->alerts_ms, look_for_alerts, jobs, error) &&
           add(loop, config->job_results, config->results_ms, drop_results, jobs, error) &&
           add(loop, true, ping_every(config->subscriber_ping_ms), ping, jobs, error);
}

static void end(struct sd_loop *loop, void *of) { (void)loop, (void)of; }

static struct cleaning *prepare_cleaning(const struct sd_job_world *world) {
    struct cleaning *cleaning = calloc(1, sizeof *cleaning);
    if (cleaning == NULL)
        return NULL;
    cleaning->limiter = world->limiter;
    cleaning->limit_ms = world->config->limiter_cleanup_limit_ms;
    atomic_init(&cleaning->references, 1);
    return cleaning;
}

static void free_jobs(struct sd_jobs *jobs) {
    if (jobs->cleaning != NULL)
        drop(jobs->cleaning);
    free(jobs);
}

struct sd_jobs *sd_jobs_start(const struct sd_job_world *world, struct sd_error *error) {
    struct sd_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the jobs");
        return NULL;
    }
    jobs->world = *world;
    jobs->cleaning = prepare_cleaning(world);
    if (jobs->cleaning == NULL)
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
