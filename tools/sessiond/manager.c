#include "manager.h"

#include <stdlib.h>

#include "log.h"
#include "schema.h"
#include "session_table.h"
#include "timed.h"

enum { BATCH = 64 };

struct sd_manager {
    const struct sd_session_world *world;
    struct sd_tasks *tasks;
    struct sd_session_table *table;
};

/* An operation, from its submission to its end; the task's. */
struct job {
    struct sd_manager *manager;
    struct sd_session *session; /* a reference */
    struct sd_session_entry *entry;
    bool connects; /* the first connection: no operation */
    struct sd_operation operation;
    struct sd_admission admission;
};

/* Messages are stored by the session's id, which must be nobody's before, nor another
 * process's on the same database. */
static bool last_session(struct sd_pool *pool, uint64_t *last, struct sd_error *error) {
    sqlite3 *handle = sd_pool_take(pool, "manager", NULL, error);
    if (handle == NULL)
        return false;
    bool known = sd_schema_session_block(handle, last, error);
    sd_pool_give(pool, handle);
    return known;
}

struct sd_manager *sd_manager_create(const struct sd_session_world *world, struct sd_tasks *tasks,
                                     struct sd_error *error) {
    uint64_t last;
    if (!last_session(world->pool, &last, error))
        return NULL;
    struct sd_manager *manager = calloc(1, sizeof *manager);
    if (manager == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the manager");
        return NULL;
    }
    manager->world = world;
    manager->tasks = tasks;
    manager->table = sd_session_table_create(world->config, last, error);
    if (manager->table != NULL)
        return manager;
    free(manager);
    return NULL;
}

void sd_manager_destroy(struct sd_manager *manager) {
    if (manager == NULL)
        return;
    sd_session_table_destroy(manager->table);
    free(manager);
}

/* ---- operations as tasks ---- */

static bool body(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct job *job = of;
    struct sd_cancel *cancel = sd_task_cancel(task);
    return job->connects
               ? sd_session_connect(job->session, job->entry, cancel, result, error)
               : sd_session_perform(job->session, job->entry, &job->operation, cancel, result, error);
}

static void admitted(uint64_t id, const struct sd_error *error, void *of) {
    struct job *job = of;
    if (job->admission.admitted != NULL)
        job->admission.admitted(id, error, job->admission.argument);
}

/* A session whose first task was refused was never opened for its client. */
static void done(uint64_t id, enum sd_task_state state, void *of) {
    struct job *job = of;
    (void)id;
    sd_session_end(job->session, job->entry, state == SD_TASK_COMPLETED);
    if (job->connects && state == SD_TASK_REFUSED)
        sd_session_table_remove(job->manager->table, job->session);
    sd_session_release(job->session);
    free(job);
}

static struct job *create_job(struct sd_manager *manager, struct sd_session *session, const char *name,
                              const struct sd_admission *admission, struct sd_error *error) {
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for an operation");
        return NULL;
    }
    job->manager = manager;
    job->session = session;
    if (admission != NULL)
        job->admission = *admission;
    if (!sd_session_begin(session, name, &job->entry, error)) {
        free(job);
        return NULL;
    }
    sd_session_hold(session);
    return job;
}

/* The job is the task's from here on, and freed by it also where it is refused at once. */
static bool submit(struct sd_manager *manager, struct job *job, const struct sd_operation_kind_info *info,
                   uint64_t *task, struct sd_error *error) {
    struct sd_task_request request = {.name = info->name,
                                      .kind = info->task,
                                      .user = sd_session_user(job->session),
                                      .session = sd_session_id(job->session),
                                      .limit_ms = job->operation.limit_ms,
                                      .body = body,
                                      .admitted = admitted,
                                      .done = done,
                                      .argument = job};
    return sd_tasks_submit(manager->tasks, &request, task, error);
}

bool sd_manager_operate(struct sd_manager *manager, int64_t user, uint64_t id,
                        const struct sd_operation *operation, const struct sd_admission *admission,
                        uint64_t *task, struct sd_error *error) {
    const struct sd_operation_kind_info *info = sd_operation_info(operation->kind);
    struct sd_session *session = sd_manager_find(manager, user, id, error);
    if (session == NULL)
        return false;
    struct job *job = create_job(manager, session, info->name, admission, error);
    sd_session_release(session);
    if (job == NULL)
        return false;
    job->operation = *operation;
    return submit(manager, job, info, task, error);
}

/* ---- sessions ---- */

static bool start(struct sd_manager *manager, struct sd_session *session,
                  const struct sd_admission *admission, uint64_t *task, struct sd_error *error) {
    if (!sd_session_table_add(manager->table, session, error))
        return false;
    struct job *job = create_job(manager, session, sd_operation_connect.name, admission, error);
    if (job == NULL) {
        sd_session_table_remove(manager->table, session);
        return false;
    }
    job->connects = true;
    return submit(manager, job, &sd_operation_connect, task, error);
}

bool sd_manager_open(struct sd_manager *manager, int64_t user, const struct sd_session_request *request,
                     const struct sd_admission *admission, uint64_t *id, uint64_t *task,
                     struct sd_error *error) {
    *id = sd_session_table_next_id(manager->table);
    struct sd_session *session =
        sd_session_create(manager->world, *id, user, request->name, request->host, request->port, error);
    if (session == NULL)
        return false;
    bool started = start(manager, session, admission, task, error);
    sd_session_release(session);
    return started;
}

struct sd_session *sd_manager_find(struct sd_manager *manager, int64_t user, uint64_t id,
                                   struct sd_error *error) {
    return sd_session_table_find(manager->table, user, id, error);
}

bool sd_manager_stop(struct sd_manager *manager, int64_t user, uint64_t id, struct sd_error *error) {
    struct sd_session *session = sd_manager_find(manager, user, id, error);
    if (session == NULL)
        return false;
    if (!sd_session_stop(session, error)) {
        sd_session_release(session);
        return false;
    }
    sd_session_table_remove(manager->table, session);
    unsigned cancelled = sd_tasks_cancel_session(manager->tasks, id);
    sd_log(SD_LOG_INFO, "session %llu stopped, %u operations cancelled", (unsigned long long)id, cancelled);
    sd_session_release(session);
    return true;
}

bool sd_manager_look(struct sd_manager *manager, int64_t user, uint64_t id, struct sd_session_view *view,
                     struct sd_error *error) {
    struct sd_session *session = sd_manager_find(manager, user, id, error);
    if (session == NULL)
        return false;
    bool seen = sd_session_view(session, view, sd_timed_soon_ms(), error);
    sd_session_release(session);
    return seen;
}

/* In batches, so that no session's lock is asked for under the table's.  After one that is
 * stuck there is no waiting for others. */
size_t sd_manager_list(struct sd_manager *manager, int64_t user, struct sd_session_view *views, size_t room) {
    struct sd_session *sessions[BATCH];
    size_t count = 0, got;
    uint64_t after = 0;
    int32_t within_ms = sd_timed_soon_ms();
    do {
        got = sd_session_table_list(manager->table, user, after, sessions, BATCH);
        for (size_t at = 0; at < got; at++) {
            after = sd_session_id(sessions[at]);
            if (count < room && sd_session_view(sessions[at], &views[count], within_ms, NULL))
                count++;
            else
                within_ms = 0;
            sd_session_release(sessions[at]);
        }
    } while (got == BATCH && count < room);
    return count;
}

size_t sd_manager_count(struct sd_manager *manager) { return sd_session_table_count(manager->table); }
