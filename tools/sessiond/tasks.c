#include "tasks_private.h"

#include <stdlib.h>

#include "clock.h"
#include "timed.h"

uint64_t sd_task_id(const struct sd_task *task) { return task->id; }
int64_t sd_task_user(const struct sd_task *task) { return task->user; }
struct sd_cancel *sd_task_cancel(struct sd_task *task) {
    return &task->cancel;
}
int sd_task_group(enum sd_task_kind kind) { return kind == SD_TASK_DATABASE ? 0 : 1; }

/* ---- lists; with the lock held ---- */

void sd_task_list_add(struct sd_task_list *list, struct sd_task *task) {
    task->before = list->last;
    task->next = NULL;
    *(list->last == NULL ? &list->first : &list->last->next) = task;
    list->last = task;
}

void sd_task_list_remove(struct sd_task_list *list, struct sd_task *task) {
    *(task->before == NULL ? &list->first : &task->before->next) = task->next;
    *(task->next == NULL ? &list->last : &task->next->before) = task->before;
}

void sd_task_line_add(struct sd_task_line *line, struct sd_task *task) {
    task->next_in_line = NULL;
    *line->end = task;
    line->end = &task->next_in_line;
    line->count++;
}

void sd_task_line_remove(struct sd_task_line *line, struct sd_task *task) {
    struct sd_task **link = &line->first;
    while (*link != task)
        link = &(*link)->next_in_line;
    if ((*link = task->next_in_line) == NULL)
        line->end = link;
    line->count--;
}

static struct sd_task **bucket_of(struct sd_tasks *tasks, uint64_t id) {
    return &tasks->buckets[id % SD_TASK_BUCKETS];
}

struct sd_task *sd_tasks_find(struct sd_tasks *tasks, uint64_t id) {
    struct sd_task *task = *bucket_of(tasks, id);
    while (task != NULL && task->id != id)
        task = task->next_of_bucket;
    return task;
}

static void enter(struct sd_tasks *tasks, struct sd_task *task) {
    struct sd_task **bucket = bucket_of(tasks, task->id);
    task->next_of_bucket = *bucket;
    *bucket = task;
    sd_task_list_add(&tasks->live, task);
    tasks->live_count++;
}

void sd_tasks_leave_bucket(struct sd_tasks *tasks, struct sd_task *task) {
    struct sd_task **link = bucket_of(tasks, task->id);
    while (*link != task)
        link = &(*link)->next_of_bucket;
    *link = task->next_of_bucket;
}

void sd_tasks_unlink_queued(struct sd_tasks *tasks, struct sd_task *task) {
    sd_task_line_remove(&tasks->queued[sd_task_group(task->kind)], task);
    sd_task_list_remove(&tasks->live, task);
    tasks->live_count--;
    tasks->telling++;
    task->counted = true;
    sd_tasks_leave_bucket(tasks, task);
}

/* ---- slots; with the lock held ---- */

static bool slot_free(const struct sd_tasks *tasks, int group) {
    const struct sd_task_counters *kinds = tasks->kinds;
    const struct sd_task_counters *a = &kinds[group == 0 ? SD_TASK_DATABASE : SD_TASK_GENERAL];
    int32_t active = a->active, most = a->replaced;
    if (group == 0)
        return active < most + tasks->config->database_tasks;
    active += kinds[SD_TASK_BROADCAST].active;
    most += kinds[SD_TASK_BROADCAST].replaced;
    return active < most + tasks->config->general_tasks;
}

static void give_slot(struct sd_tasks *tasks, struct sd_task *task) {
    task->has_slot = true;
    tasks->kinds[task->kind].active++;
    sd_task_line_add(&tasks->ready, task);
    sd_tasks_wake_runner(tasks);
}

void sd_tasks_promote(struct sd_tasks *tasks, int group) {
    struct sd_task_line *line = &tasks->queued[group];
    while (line->first != NULL && slot_free(tasks, group)) {
        struct sd_task *task = line->first;
        sd_task_line_remove(line, task);
        give_slot(tasks, task);
    }
}

void sd_tasks_wake_keeper(struct sd_tasks *tasks, int64_t at_ms) {
    if (at_ms >= tasks->keeper_at_ms)
        return;
    tasks->keeper_at_ms = at_ms;
    lg_cond_signal(&tasks->keeper_wake);
}

void sd_tasks_ask(struct sd_tasks *tasks, struct sd_task *task, enum sd_cancel_reason reason) {
    if (task->ending || task->wanted != SD_CANCEL_NOT)
        return;
    task->wanted = (int)reason;
    task->until_ms = sd_now_ms() + tasks->config->cancel_grace_ms;
    if (task->has_token)
        sd_cancel_ask(&task->cancel, reason);
    sd_tasks_wake_keeper(tasks, task->until_ms);
}

/* ---- submission ---- */

static int32_t limit_of(const struct sd_config *config, const struct sd_task_request *request) {
    const int32_t limits[] = {config->database_limit_ms, config->broadcast_limit_ms,
                              config->general_limit_ms};
    int32_t limit = limits[request->kind];
    return request->limit_ms > 0 && request->limit_ms < limit ? request->limit_ms : limit;
}

static struct sd_task *make_task(const struct sd_tasks *tasks, const struct sd_task_request *request) {
    struct sd_task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return NULL;
    sd_copy(task->name, sizeof task->name, request->name);
    task->kind = request->kind;
    task->user = request->user;
    task->session = request->session;
    task->limit_ms = limit_of(tasks->config, request);
    task->body = request->body;
    task->admitted = request->admitted;
    task->done = request->done;
    task->argument = request->argument;
    task->submitted_us = sd_now_us();
    task->submitted_ms = sd_wall_ms();
    return task;
}

static void enqueue(struct sd_tasks *tasks, struct sd_task *task) {
    task->until_ms = sd_now_ms() + tasks->config->task_queue_wait_ms;
    sd_task_line_add(&tasks->queued[sd_task_group(task->kind)], task);
    sd_tasks_wake_keeper(tasks, task->until_ms);
}

/* With the lock held: false: it is not in. */
static bool take_in(struct sd_tasks *tasks, struct sd_task *task, struct sd_error *error) {
    int group = sd_task_group(task->kind);
    task->id = ++tasks->last_id;
    if (tasks->refusing)
        return sd_fail_busy(error, "shutting_down", SD_TASK_RETRY_SHUTDOWN_S, "the service is stopping");
    bool at_once = tasks->queued[group].first == NULL && slot_free(tasks, group);
    if (!at_once && tasks->queued[0].count + tasks->queued[1].count >= tasks->config->task_queue)
        return sd_fail_busy(error, "queue_full", SD_TASK_RETRY_S, "%d tasks wait already; try again",
                            (int)tasks->config->task_queue);
    enter(tasks, task);
    if (at_once)
        give_slot(tasks, task);
    else
        enqueue(tasks, task);
    return true;
}

bool sd_tasks_submit(struct sd_tasks *tasks, const struct sd_task_request *request, uint64_t *id,
                     struct sd_error *error) {
    struct sd_error why;
    struct sd_task *task = make_task(tasks, request);
    bool in = false;
    if (task == NULL) {
        if (request->done != NULL)
            request->done(0, SD_TASK_REFUSED, request->argument);
        return sd_fail_busy(error, "no_memory", SD_TASK_RETRY_S, "no memory for a task");
    }
    if (sd_lock(tasks->lock, &why)) {
        in = take_in(tasks, task, &why);
        if (in && id != NULL)
            *id = task->id; /* here: it may run, and be gone, as soon as the lock is given up */
        sd_unlock(tasks->lock);
    }
    if (in) {
        sd_tasks_staff(tasks);
        return true;
    }
    if (error != NULL)
        *error = why;
    task->admitted = NULL; /* told by what this returns */
    sd_tasks_refused(tasks, task, SD_TASK_REFUSED, &why);
    return false;
}
