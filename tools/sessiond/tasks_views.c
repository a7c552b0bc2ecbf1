#include "tasks_private.h"

#include <string.h>

#include "timed.h"

static const char *const kind_names[] = {"database", "broadcast", "general"};
static const char *const state_names[] = {"queued",    "running",   "completed", "failed",
                                          "timed_out", "cancelled", "refused"};

const char *sd_task_kind_name(enum sd_task_kind kind) { return kind_names[kind]; }
const char *sd_task_state_name(enum sd_task_state state) { return state_names[state]; }

/* With the lock held. */
static void fill_view(struct sd_task_view *view, const struct sd_task *task) {
    view->id = task->id;
    view->session = task->session;
    memcpy(view->name, task->name, sizeof view->name);
    view->kind = task->kind;
    view->state = task->state;
    view->unresponsive = task->unresponsive;
    view->submitted_ms = task->submitted_ms;
    view->started_ms = task->started_ms;
    view->ended_ms = task->ended_ms;
    if (task->ended_ms != 0 && task->state != SD_TASK_COMPLETED)
        view->error = task->error;
    else
        view->error.status = 0;
}

/* With the lock held: a user's own. */
static struct sd_task *find_own(struct sd_tasks *tasks, int64_t user, uint64_t id, struct sd_error *error) {
    struct sd_task *task = sd_tasks_find(tasks, id);
    if (task != NULL && task->user == user && user != SD_USER_NONE)
        return task;
    sd_fail(error, 404, "no_task", "there is no task %llu", (unsigned long long)id);
    return NULL;
}

bool sd_tasks_look(struct sd_tasks *tasks, int64_t user, uint64_t id, struct sd_task_view *view,
                   struct sd_text *result, struct sd_error *error) {
    if (!sd_lock(tasks->lock, error))
        return false;
    const struct sd_task *task = find_own(tasks, user, id, error);
    if (task != NULL) {
        fill_view(view, task);
        if (task->state == SD_TASK_COMPLETED)
            sd_text_add_bytes(result, task->result.bytes == NULL ? "" : task->result.bytes,
                              task->result.length);
    }
    sd_unlock(tasks->lock);
    return task != NULL;
}

/* ---- cancellation ---- */

static void refuse_cancelled(struct sd_tasks *tasks, struct sd_task *task) {
    struct sd_error why;
    sd_fail(&why, 503, "cancelled", "it was cancelled while it waited");
    sd_tasks_refused(tasks, task, SD_TASK_CANCELLED, &why);
}

/* With the lock held: one that waits for a slot is taken out, for refuse_cancelled. */
static struct sd_task *cancel_one(struct sd_tasks *tasks, struct sd_task *task) {
    if (task->ended_ms != 0)
        return NULL;
    if (task->has_slot) {
        sd_tasks_ask(tasks, task, SD_CANCEL_ASKED);
        return NULL;
    }
    sd_tasks_unlink_queued(tasks, task);
    return task;
}

bool sd_tasks_cancel(struct sd_tasks *tasks, int64_t user, uint64_t id, struct sd_error *error) {
    if (!sd_lock(tasks->lock, error))
        return false;
    struct sd_task *task = find_own(tasks, user, id, error);
    bool found = task != NULL;
    struct sd_task *queued = found ? cancel_one(tasks, task) : NULL;
    sd_unlock(tasks->lock);
    if (queued != NULL)
        refuse_cancelled(tasks, queued);
    return found;
}

unsigned sd_tasks_cancel_session(struct sd_tasks *tasks, uint64_t session) {
    struct sd_task *queued = NULL;
    unsigned asked = 0;
    sd_lock_surely(tasks->lock);
    for (struct sd_task *task = tasks->live.first, *next; task != NULL; task = next) {
        next = task->next;
        if (task->session != session)
            continue;
        asked++;
        struct sd_task *own = cancel_one(tasks, task);
        if (own != NULL) {
            own->next_in_line = queued;
            queued = own;
        }
    }
    sd_unlock(tasks->lock);
    for (struct sd_task *task; (task = queued) != NULL;) {
        queued = task->next_in_line;
        refuse_cancelled(tasks, task);
    }
    return asked;
}

/* ---- figures ---- */

static int32_t limit_of(const struct sd_config *config, int kind) {
    return kind == SD_TASK_DATABASE ? config->database_tasks : config->general_tasks;
}

static void fill_top(struct sd_task_kind_figures *figures, const struct sd_task_counters *counters) {
    uint64_t before = UINT64_MAX;
    int before_at = -1;
    for (int place = 0; place < 5; place++) {
        int best = -1;
        for (int i = 0; i < SD_TASK_ERRORS; i++) {
            uint64_t count = counters->errors[i].count;
            bool after = count < before || (count == before && i > before_at);
            if (count > 0 && after && (best < 0 || count > counters->errors[best].count))
                best = i;
        }
        figures->top_errors[place].text[0] = 0;
        figures->top_errors[place].count = 0;
        if (best < 0)
            continue;
        memcpy(figures->top_errors[place].text, counters->errors[best].text,
               sizeof figures->top_errors[place].text);
        figures->top_errors[place].count = before = counters->errors[best].count;
        before_at = best;
    }
}

static void fill_kind(struct sd_task_kind_figures *figures, const struct sd_task_counters *counters) {
    figures->active = counters->active;
    figures->unresponsive = counters->unresponsive;
    figures->replaced = counters->replaced;
    memcpy(figures->ended, counters->ended, sizeof figures->ended);
    figures->p50_us = sd_histogram_quantile(&counters->took, 50);
    figures->p95_us = sd_histogram_quantile(&counters->took, 95);
    figures->p99_us = sd_histogram_quantile(&counters->took, 99);
    fill_top(figures, counters);
}

bool sd_tasks_figures(struct sd_tasks *tasks, struct sd_task_figures *figures, struct sd_error *error) {
    struct sd_task_counters kinds[SD_TASK_KINDS];
    if (!sd_lock(tasks->lock, error))
        return false;
    memcpy(kinds, tasks->kinds, sizeof kinds);
    figures->queued = tasks->queued[0].count + tasks->queued[1].count;
    figures->kept = tasks->kept_count;
    figures->threads = tasks->threads;
    sd_unlock(tasks->lock);
    figures->queue_limit = tasks->config->task_queue;
    figures->active_database = kinds[SD_TASK_DATABASE].active;
    figures->active = 0;
    for (int kind = 0; kind < SD_TASK_KINDS; kind++) {
        figures->kinds[kind].limit = limit_of(tasks->config, kind);
        fill_kind(&figures->kinds[kind], &kinds[kind]);
        figures->active += kinds[kind].active;
    }
    return true;
}

size_t sd_tasks_list(struct sd_tasks *tasks, struct sd_task_view *views, size_t room) {
    size_t count = 0;
    if (!sd_lock(tasks->lock, NULL))
        return 0;
    for (const struct sd_task *task = tasks->live.first; task != NULL && count < room; task = task->next)
        fill_view(&views[count++], task);
    sd_unlock(tasks->lock);
    return count;
}
