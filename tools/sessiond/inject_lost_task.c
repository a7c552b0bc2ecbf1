/* lost-task: a task calls code that was written for a thread of its own, and ends it where
 * it meets an error.  Nobody is left to record how the task went.
 *
 * Found: the task manager misses it and reports "task lost" (lg_report).
 * Without Lockgraph: the task fails with task_lost, with no word of where. */
#include <pthread.h>

#include "clock.h"
#include "inject_list.h"
#include "inject_stage.h"

enum { LOOK_MS = 5, WAIT_MS = 4000 };

static _Atomic int outcome; /* 1 + enum sd_task_state */

static bool body(struct sd_task *task, void *argument, struct sd_text *result, struct sd_error *error) {
    (void)argument, (void)result;
    sd_fail(error, 500, "bad_page", "page of task %llu cannot be read", (unsigned long long)sd_task_id(task));
    pthread_exit(NULL); /* right: return false */
}

static void done(uint64_t id, enum sd_task_state state, void *argument) {
    (void)id, (void)argument;
    atomic_store(&outcome, 1 + (int)state);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    const struct sd_task_request request = {
        .name = "import", .kind = SD_TASK_GENERAL, .body = body, .done = done};
    int64_t until_ms = sd_now_ms() + WAIT_MS;
    uint64_t id;
    if (!sd_tasks_submit(service->http.tasks, &request, &id, error))
        return false;
    while (atomic_load(&outcome) == 0 && sd_left_ms(until_ms) > 0)
        sd_cancel_pause(NULL, LOOK_MS);
    if (atomic_load(&outcome) == 0)
        return sd_fail(error, 504, "time_limit", "task %llu has no end", (unsigned long long)id);
    return atomic_load(&outcome) == 1 + SD_TASK_COMPLETED ||
           sd_fail(error, 500, "task_lost", "task %llu ended without a word of why", (unsigned long long)id);
}

const struct sd_injection sd_inject_lost_task = {"lost-task", "user", "error",
                                                 "a task fails with task_lost, and no word of where", run};
