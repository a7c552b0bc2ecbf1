#include "tasks_private.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "timed.h"
#include "trace.h"

/* With the lock held. */
static void mark_running(struct sd_tasks *tasks, struct sd_task *task) {
    int64_t now = sd_now_ms();
    task->state = SD_TASK_RUNNING;
    task->has_token = true;
    task->started_us = sd_now_us();
    task->started_ms = sd_wall_ms();
    if (task->wanted != SD_CANCEL_NOT)
        sd_cancel_ask(&task->cancel, (enum sd_cancel_reason)task->wanted);
    else
        task->until_ms = task->cancel.deadline_ms;
    sd_tasks_wake_keeper(tasks, task->until_ms < now + 1000 ? task->until_ms : now + 1000);
}

static void mark_ending(struct sd_tasks *tasks, struct sd_task *task) {
    sd_lock_surely(tasks->lock);
    task->ending = true;
    task->ended_us = sd_now_us();
    sd_unlock(tasks->lock);
}

static bool perform(struct sd_tasks *tasks, struct sd_task *task) {
    if (!sd_cancel_init(&task->cancel, sd_now_ms() + task->limit_ms, &task->error)) {
        task->started_us = sd_now_us();
        if (task->admitted != NULL)
            task->admitted(task->id, &task->error, task->argument);
        return false;
    }
    sd_lock_surely(tasks->lock);
    mark_running(tasks, task);
    sd_unlock(tasks->lock);
    if (task->admitted != NULL)
        task->admitted(task->id, NULL, task->argument);
    return task->body(task, task->argument, &task->result, &task->error);
}

static void run_task(struct sd_tasks *tasks, struct sd_task_runner *runner, struct sd_task *task) {
    struct sd_trace trace;
    struct sd_text stack = {0};
    sd_log_session(task->session);
    lg_operation(task->name);
    sd_trace_into(&trace);
    bool completed = perform(tasks, task);
    sd_trace_into(NULL);
    lg_operation_end();
    sd_log_session(0);
    mark_ending(tasks, task);
    enum sd_task_state state = sd_task_judge(task, completed);
    if (state == SD_TASK_FAILED)
        sd_trace_text(&trace, &stack);
    sd_tasks_end(tasks, runner, task, state, stack.bytes == NULL ? "" : stack.bytes);
    sd_text_free(&stack);
}

/* With the lock held. */
static struct sd_task_runner *take_idle(struct sd_tasks *tasks) {
    struct sd_task_runner *runner = tasks->idle;
    if (runner == NULL)
        return NULL;
    tasks->idle = runner->next_idle;
    runner->idle = false;
    lg_cond_signal(&runner->wake);
    return runner;
}

/* Where none is idle, one that is busy will look, or another is started. */
void sd_tasks_wake_runner(struct sd_tasks *tasks) { take_idle(tasks); }

void sd_tasks_wake_all(struct sd_tasks *tasks) {
    while (take_idle(tasks) != NULL)
        continue;
}

/* With the lock held, given up meanwhile. */
static void rest(struct sd_tasks *tasks, struct sd_task_runner *runner) {
    runner->idle = true;
    runner->next_idle = tasks->idle;
    tasks->idle = runner;
    while (runner->idle)
        lg_cond_wait(&runner->wake, tasks->lock);
}

static struct sd_task *next_task(struct sd_tasks *tasks, struct sd_task_runner *runner) {
    sd_lock_surely(tasks->lock);
    while (tasks->ready.first == NULL && !tasks->stopping)
        rest(tasks, runner);
    struct sd_task *task = tasks->ready.first;
    if (task != NULL) {
        sd_task_line_remove(&tasks->ready, task);
        runner->task = task;
        tasks->busy++;
    }
    sd_unlock(tasks->lock);
    return task;
}

static void run_thread(void *of) {
    struct sd_task_runner *runner = of;
    struct sd_tasks *tasks = runner->tasks;
    struct sd_task *task;
    while ((task = next_task(tasks, runner)) != NULL)
        run_task(tasks, runner, task);
}

static struct sd_task_runner *add_runner(struct sd_tasks *tasks) {
    struct sd_task_runner *runner = NULL;
    sd_lock_surely(tasks->lock);
    bool needed = tasks->ready.count > tasks->threads - tasks->busy && !tasks->stopping;
    if (needed && (runner = calloc(1, sizeof *runner)) != NULL) {
        runner->tasks = tasks;
        lg_cond_init(&runner->wake);
        runner->next = tasks->runners;
        tasks->runners = runner;
        tasks->threads++;
    }
    sd_unlock(tasks->lock);
    return runner;
}

void sd_task_runner_free(struct sd_task_runner *runner) {
    lg_cond_destroy(&runner->wake);
    free(runner);
}

static void remove_runner(struct sd_tasks *tasks, struct sd_task_runner *runner) {
    sd_lock_surely(tasks->lock);
    struct sd_task_runner **link = &tasks->runners;
    while (*link != runner)
        link = &(*link)->next;
    *link = runner->next;
    tasks->threads--;
    sd_unlock(tasks->lock);
    sd_task_runner_free(runner);
}

void sd_tasks_staff(struct sd_tasks *tasks) {
    struct sd_task_runner *runner;
    struct sd_error error;
    while ((runner = add_runner(tasks)) != NULL) {
        struct sd_thread *thread = sd_thread_start("task", run_thread, runner, &error);
        if (thread == NULL) { /* those that are there will come to it */
            sd_log(SD_LOG_ERROR, "no thread for a task: %s", error.text);
            remove_runner(tasks, runner);
            return;
        }
        sd_lock_surely(tasks->lock);
        runner->thread = thread;
        sd_unlock(tasks->lock);
    }
}

void sd_tasks_lost(struct sd_tasks *tasks, struct sd_task_runner *runner) {
    struct sd_task *task = runner->task;
    lg_report(LG_ERROR, "task lost: %s, task %llu of session %llu: its thread is gone without an end",
              task->name, (unsigned long long)task->id, (unsigned long long)task->session);
    sd_fail(&task->error, 500, "task_lost", "its thread is gone without an end");
    task->ended_us = sd_now_us();
    sd_tasks_end(tasks, runner, task, SD_TASK_FAILED, "");
    sd_thread_join(runner->thread);
    remove_runner(tasks, runner);
    sd_tasks_staff(tasks);
}
