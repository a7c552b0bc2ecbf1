#include "tasks_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "timed.h"

static void free_task(struct sd_task *task) {
    sd_text_free(&task->result);
    free(task);
}

static void record(const struct sd_tasks *tasks, const struct sd_task *task, enum sd_task_state state,
                   const struct sd_error *error, const char *stack) {
    bool ran = task->started_us != 0;
    int64_t now = ran ? task->ended_us : sd_now_us();
    const struct sd_task_record told = {task->id,
                                        task->session,
                                        task->user,
                                        task->name,
                                        task->kind,
                                        state,
                                        (ran ? task->started_us : now) - task->submitted_us,
                                        ran ? now - task->started_us : 0,
                                        error,
                                        stack};
    if (tasks->ended != NULL)
        tasks->ended(&told, tasks->user);
}

static void count_error(struct sd_task_counters *counters, const struct sd_error *error) {
    char text[sizeof counters->errors[0].text];
    int least = 0;
    snprintf(text, sizeof text, "%s: %.80s", error->code, error->text);
    for (int i = 0; i < SD_TASK_ERRORS; i++) {
        if (strcmp(counters->errors[i].text, text) == 0) {
            counters->errors[i].count++;
            return;
        }
        if (counters->errors[i].count < counters->errors[least].count)
            least = i;
    }
    /* A new one takes the rarest one's place. */
    memcpy(counters->errors[least].text, text, sizeof text);
    counters->errors[least].count = 1;
}

void sd_tasks_refused(struct sd_tasks *tasks, struct sd_task *task, enum sd_task_state state,
                      const struct sd_error *error) {
    sd_lock_surely(tasks->lock);
    tasks->telling += !task->counted;
    tasks->kinds[task->kind].ended[state]++;
    count_error(&tasks->kinds[task->kind], error);
    sd_unlock(tasks->lock);
    sd_log(SD_LOG_DEBUG, "task %llu %s: %s: %s", (unsigned long long)task->id, task->name,
           sd_task_state_name(state), error->text);
    record(tasks, task, state, error, "");
    if (task->admitted != NULL)
        task->admitted(task->id, error, task->argument);
    if (task->done != NULL)
        task->done(task->id, state, task->argument);
    free_task(task);
    sd_lock_surely(tasks->lock);
    tasks->telling--;
    if (tasks->finishing)
        lg_cond_broadcast(&tasks->changed);
    sd_unlock(tasks->lock);
}

enum sd_task_state sd_task_judge(struct sd_task *task, bool completed) {
    if (completed && task->result.failed)
        completed = sd_fail_busy(&task->error, "no_memory", SD_TASK_RETRY_S, "no memory for the result");
    if (completed)
        return SD_TASK_COMPLETED;
    if (!task->has_token || !sd_cancelled(&task->cancel))
        return SD_TASK_FAILED;
    sd_cancel_check(&task->cancel, &task->error); /* not what followed from it */
    return sd_cancel_reason(&task->cancel) == SD_CANCEL_TIME ? SD_TASK_TIMED_OUT : SD_TASK_CANCELLED;
}

static void tell_failure(const struct sd_task *task, enum sd_task_state state, const char *stack) {
    enum sd_log_level level = state == SD_TASK_CANCELLED ? SD_LOG_INFO : SD_LOG_WARNING;
    uint64_t before = sd_log_session(task->session);
    sd_log(level, "task %llu %s %s: %s: %s; %s", (unsigned long long)task->id, task->name,
           sd_task_state_name(state), task->error.code, task->error.text, stack);
    sd_log_session(before);
}

/* ---- kept results; with the lock held ---- */

static struct sd_task_share *share_of(struct sd_tasks *tasks, const struct sd_task *task) {
    return &tasks->kept[(uint64_t)task->user % SD_TASK_SHARES];
}

static void add_kept(struct sd_tasks *tasks, struct sd_task *task, int sign) {
    struct sd_task_share *share = share_of(tasks, task);
    share->count += sign;
    tasks->kept_count += sign;
    share->bytes += sign * (int64_t)task->result.room;
    tasks->kept_bytes += sign * (int64_t)task->result.room;
}

static struct sd_task *take_first(struct sd_tasks *tasks, struct sd_task_share *share,
                                  struct sd_task *dropped) {
    struct sd_task *task = share->list.first;
    add_kept(tasks, task, -1);
    sd_task_list_remove(&share->list, task);
    sd_tasks_leave_bucket(tasks, task);
    task->next_in_line = dropped;
    return task;
}

static struct sd_task_share *greatest_share(struct sd_tasks *tasks, bool of_bytes) {
    struct sd_task_share *greatest = &tasks->kept[0];
    for (struct sd_task_share *share = tasks->kept; share < tasks->kept + SD_TASK_SHARES; share++)
        if (of_bytes ? share->bytes > greatest->bytes : share->count > greatest->count)
            greatest = share;
    return greatest;
}

/* The oldest of who has most: nobody drives out what others have. */
struct sd_task *sd_tasks_take_surplus(struct sd_tasks *tasks) {
    const struct sd_config *config = tasks->config;
    struct sd_task *dropped = NULL;
    while (tasks->kept_count > config->kept_results)
        dropped = take_first(tasks, greatest_share(tasks, false), dropped);
    while (tasks->kept_bytes > config->kept_bytes)
        dropped = take_first(tasks, greatest_share(tasks, true), dropped);
    return dropped;
}

struct sd_task *sd_tasks_take_old(struct sd_tasks *tasks, int64_t before_us) {
    struct sd_task *dropped = NULL;
    for (struct sd_task_share *share = tasks->kept; share < tasks->kept + SD_TASK_SHARES; share++)
        while (share->list.first != NULL && share->list.first->ended_us < before_us)
            dropped = take_first(tasks, share, dropped);
    return dropped;
}

/* ---- without it ---- */

void sd_task_line_free(struct sd_task *task) {
    for (struct sd_task *next; task != NULL; task = next) {
        next = task->next_in_line;
        free_task(task);
    }
}

void sd_tasks_drop_old(struct sd_tasks *tasks) {
    int64_t before_us = sd_now_us() - (int64_t)tasks->config->kept_result_s * 1000000;
    if (!sd_lock(tasks->lock, NULL))
        return;
    struct sd_task *dropped = sd_tasks_take_old(tasks, before_us);
    sd_unlock(tasks->lock);
    sd_task_line_free(dropped);
}

/* With the lock held: its slot is free, its result is kept. */
static void put_down(struct sd_tasks *tasks, struct sd_task *task, enum sd_task_state state) {
    struct sd_task_counters *counters = &tasks->kinds[task->kind];
    task->state = state;
    task->has_token = false;
    task->ended_ms = sd_wall_ms();
    counters->active--;
    counters->unresponsive -= task->unresponsive;
    counters->replaced -= task->replaced;
    task->unresponsive = false;
    counters->ended[state]++;
    sd_histogram_add(&counters->took, task->ended_us - task->started_us);
    if (state != SD_TASK_COMPLETED)
        count_error(counters, &task->error);
    sd_task_list_remove(&tasks->live, task);
    tasks->live_count--;
    sd_task_list_add(&share_of(tasks, task)->list, task);
    add_kept(tasks, task, 1);
    if (tasks->finishing)
        lg_cond_broadcast(&tasks->changed);
    sd_tasks_promote(tasks, sd_task_group(task->kind));
}

/* JSON cannot be cut in the middle: how long it was is left of one that is too long. */
static void limit_result(const struct sd_tasks *tasks, struct sd_task *task) {
    size_t length = task->result.length;
    if (length <= (size_t)tasks->config->kept_result_bytes)
        return;
    sd_text_free(&task->result);
    sd_text_format(&task->result, "{\"truncated\":true,\"bytes\":%zu}", length);
}

/* The callbacks come first: who sees that it has ended sees what they did, too. */
void sd_tasks_end(struct sd_tasks *tasks, struct sd_task_runner *runner, struct sd_task *task,
                  enum sd_task_state state, const char *stack) {
    const struct sd_error *error = state == SD_TASK_COMPLETED ? NULL : &task->error;
    if (error != NULL)
        tell_failure(task, state, stack);
    record(tasks, task, state, error, stack);
    if (task->done != NULL)
        task->done(task->id, state, task->argument);
    if (error != NULL)
        sd_text_free(&task->result);
    else
        limit_result(tasks, task);
    if (task->has_token) /* nobody asks one that is ending */
        sd_cancel_destroy(&task->cancel);
    sd_lock_surely(tasks->lock);
    put_down(tasks, task, state);
    runner->task = NULL;
    tasks->busy--;
    struct sd_task *dropped = sd_tasks_take_surplus(tasks);
    sd_unlock(tasks->lock);
    sd_task_line_free(dropped);
}
