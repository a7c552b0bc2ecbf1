#include "tasks_private.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "timed.h"

enum { LOOK_MS = 1000, IDLE_MS = 60000, TOLD = 8 };

/* What one look found, to be done without the lock. */
struct found {
    struct sd_task_line expired;
    struct sd_task_runner *lost;
    struct {
        uint64_t id;
        char name[SD_TASK_NAME];
        bool replaced;
    } unresponsive[TOLD];
    int unresponsive_count;
};

/* All here with the lock held. */

static void note(struct found *found, const struct sd_task *task) {
    int at = found->unresponsive_count++;
    found->unresponsive[at].id = task->id;
    memcpy(found->unresponsive[at].name, task->name, sizeof task->name);
    found->unresponsive[at].replaced = task->replaced;
}

static void mark_unresponsive(struct sd_tasks *tasks, struct sd_task *task, struct found *found) {
    struct sd_task_counters *counters = &tasks->kinds[task->kind];
    int32_t replaced = 0;
    for (int i = 0; i < SD_TASK_KINDS; i++)
        replaced += tasks->kinds[i].replaced;
    task->unresponsive = true;
    counters->unresponsive++;
    task->replaced = replaced < tasks->config->replacement_threads;
    counters->replaced += task->replaced;
    note(found, task);
    sd_tasks_promote(tasks, sd_task_group(task->kind));
}

/* When to look at this one again. */
static int64_t look_at_running(struct sd_tasks *tasks, struct sd_task *task, int64_t now,
                               struct found *found) {
    if (task->until_ms <= now && task->wanted == SD_CANCEL_NOT)
        sd_tasks_ask(tasks, task, SD_CANCEL_TIME);
    else if (task->until_ms <= now && found->unresponsive_count < TOLD) /* the others next time */
        mark_unresponsive(tasks, task, found);
    return task->unresponsive ? INT64_MAX : task->until_ms;
}

static int64_t look_at(struct sd_tasks *tasks, struct sd_task *task, int64_t now, struct found *found) {
    if (task->state == SD_TASK_RUNNING && !task->ending && !task->unresponsive)
        return look_at_running(tasks, task, now, found);
    if (task->has_slot || task->state != SD_TASK_QUEUED)
        return INT64_MAX;
    if (task->until_ms > now)
        return task->until_ms;
    sd_tasks_unlink_queued(tasks, task);
    sd_task_line_add(&found->expired, task);
    return INT64_MAX;
}

static void look_for_lost(struct sd_tasks *tasks, struct found *found) {
    for (struct sd_task_runner *runner = tasks->runners; runner != NULL; runner = runner->next) {
        struct sd_task *task = runner->task;
        if (task == NULL || runner->thread == NULL || task->ending || !sd_thread_ended(runner->thread))
            continue;
        task->ending = true; /* so it is found once */
        found->lost = runner;
        return;
    }
}

static void look(struct sd_tasks *tasks, struct found *found) {
    int64_t now = sd_now_ms();
    int64_t next = now + (tasks->busy > 0 ? LOOK_MS : IDLE_MS);
    for (struct sd_task *task = tasks->live.first, *after; task != NULL; task = after) {
        after = task->next;
        int64_t at = look_at(tasks, task, now, found);
        next = at < next ? at : next;
    }
    look_for_lost(tasks, found);
    tasks->keeper_at_ms = found->lost == NULL ? next : now;
}

/* ---- without it ---- */

static void tell_unresponsive(const struct found *found) {
    for (int i = 0; i < found->unresponsive_count; i++)
        sd_log(SD_LOG_WARNING, "task %llu %s does not answer its cancellation; %s",
               (unsigned long long)found->unresponsive[i].id, found->unresponsive[i].name,
               found->unresponsive[i].replaced ? "another thread takes its place"
                                               : "no more threads replace such");
}

static void act(struct sd_tasks *tasks, const struct found *found) {
    struct sd_error why;
    tell_unresponsive(found);
    sd_fail_busy(&why, "queue_wait", SD_TASK_RETRY_S, "no slot was free within %d ms; try again",
                 (int)tasks->config->task_queue_wait_ms);
    for (struct sd_task *task = found->expired.first, *next; task != NULL; task = next) {
        next = task->next_in_line;
        sd_tasks_refused(tasks, task, SD_TASK_REFUSED, &why);
    }
    if (found->lost != NULL)
        sd_tasks_lost(tasks, found->lost);
    sd_tasks_staff(tasks);
}

static bool wait_and_look(struct sd_tasks *tasks, struct found *found) {
    *found = (struct found){0};
    found->expired.end = &found->expired.first;
    sd_lock_surely(tasks->lock);
    int32_t left;
    while (!tasks->stopping && (left = sd_left_ms(tasks->keeper_at_ms)) > 0)
        lg_cond_timedwait(&tasks->keeper_wake, tasks->lock, left);
    bool goes_on = !tasks->stopping;
    if (goes_on)
        look(tasks, found);
    sd_unlock(tasks->lock);
    return goes_on;
}

void sd_tasks_keep(void *of) {
    struct sd_tasks *tasks = of;
    struct found found;
    while (wait_and_look(tasks, &found))
        act(tasks, &found);
}
