/* The task manager's beginning and end. */
#include "tasks_private.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "timed.h"

static void free_tasks(struct sd_tasks *tasks) {
    lg_cond_destroy(&tasks->keeper_wake);
    lg_cond_destroy(&tasks->changed);
    free(tasks);
}

struct sd_tasks *sd_tasks_create(const struct sd_config *config, lg_mutex_t *global_task,
                                 sd_tasks_ended *ended, void *user, struct sd_error *error) {
    struct sd_tasks *tasks = calloc(1, sizeof *tasks);
    if (tasks == NULL) {
        sd_fail_busy(error, "no_memory", SD_TASK_RETRY_S, "no memory for the task manager");
        return NULL;
    }
    tasks->config = config;
    tasks->lock = global_task;
    tasks->ended = ended;
    tasks->user = user;
    tasks->ready.end = &tasks->ready.first;
    for (int i = 0; i < SD_TASK_GROUPS; i++)
        tasks->queued[i].end = &tasks->queued[i].first;
    lg_cond_init(&tasks->changed);
    lg_cond_init(&tasks->keeper_wake);
    tasks->keeper = sd_thread_start("task-keeper", sd_tasks_keep, tasks, error);
    if (tasks->keeper != NULL)
        return tasks;
    free_tasks(tasks);
    return NULL;
}

void sd_tasks_refuse(struct sd_tasks *tasks) {
    struct sd_error why;
    struct sd_task *refused = NULL, *task;
    sd_fail_busy(&why, "shutting_down", SD_TASK_RETRY_SHUTDOWN_S, "the service is stopping");
    sd_lock_surely(tasks->lock);
    tasks->refusing = true;
    for (int i = 0; i < SD_TASK_GROUPS; i++)
        while ((task = tasks->queued[i].first) != NULL) {
            sd_tasks_unlink_queued(tasks, task);
            task->next_in_line = refused;
            refused = task;
        }
    sd_unlock(tasks->lock);
    for (; (task = refused) != NULL;) {
        refused = task->next_in_line;
        sd_tasks_refused(tasks, task, SD_TASK_REFUSED, &why);
    }
}

/* With the lock held. */
static void wait_for_ends(struct sd_tasks *tasks, int32_t ms) {
    int64_t until = sd_now_ms() + ms;
    int32_t left;
    while (tasks->live_count + tasks->telling > 0 && (left = sd_left_ms(until)) > 0)
        lg_cond_timedwait(&tasks->changed, tasks->lock, left);
}

static void tell_rest(struct sd_tasks *tasks) {
    struct sd_task_view views[16];
    size_t count = sd_tasks_list(tasks, views, sizeof views / sizeof views[0]);
    for (size_t i = 0; i < count; i++)
        sd_log(SD_LOG_WARNING, "task %llu %s does not end", (unsigned long long)views[i].id, views[i].name);
}

unsigned sd_tasks_finish(struct sd_tasks *tasks, int32_t ms) {
    sd_lock_surely(tasks->lock);
    tasks->finishing = true;
    wait_for_ends(tasks, ms);
    for (struct sd_task *task = tasks->live.first; task != NULL; task = task->next)
        sd_tasks_ask(tasks, task, SD_CANCEL_SHUTDOWN);
    wait_for_ends(tasks, ms);
    unsigned left = (unsigned)(tasks->live_count + tasks->telling);
    sd_unlock(tasks->lock);
    if (left > 0)
        tell_rest(tasks);
    return left;
}

static void stop_threads(struct sd_tasks *tasks) {
    sd_lock_surely(tasks->lock);
    tasks->stopping = true;
    sd_tasks_wake_all(tasks);
    lg_cond_signal(&tasks->keeper_wake);
    sd_unlock(tasks->lock);
    sd_thread_join(tasks->keeper);
    for (struct sd_task_runner *runner = tasks->runners, *next; runner != NULL; runner = next) {
        next = runner->next;
        if (runner->task != NULL) { /* it does not end; nobody changes that any more */
            sd_thread_abandon(runner->thread);
            continue;
        }
        sd_thread_join(runner->thread);
        sd_task_runner_free(runner);
    }
}

void sd_tasks_destroy(struct sd_tasks *tasks) {
    if (tasks == NULL)
        return;
    stop_threads(tasks);
    if (tasks->live_count > 0)
        return;
    sd_task_line_free(sd_tasks_take_old(tasks, INT64_MAX));
    free_tasks(tasks);
}
