/* The manager of sessions: who there is, by id, and their operations as tasks.
 *
 * Takes manager.session_locks[id] (30) to begin an operation and to stop; manager.sessions
 * (80) for the table itself, a few instructions to find or remove a pointer.  Nothing of it is
 * held over I/O, nor while a task is submitted (10).  All calls return at once, also where a
 * session's lock is not to be had (503 lock_timeout): what is slow is a task.  Other users' sessions do not
 * exist: 404. */
#ifndef SD_MANAGER_H
#define SD_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "operations.h"
#include "session.h"
#include "tasks.h"

struct sd_manager;

struct sd_manager *sd_manager_create(const struct sd_session_world *world, struct sd_tasks *tasks,
                                     struct sd_error *error);
/* Stops all; after sd_tasks_finish. */
void sd_manager_destroy(struct sd_manager *manager);

/* What HTTP answers when it knows; as of sd_tasks_submit. */
struct sd_admission {
    sd_task_admitted *admitted;
    void *argument;
};

/* {"name":"…","host":"…","port":N}, host and port by default the configured peer's; the
 * session exists at once, its connection is the task. */
struct sd_session_request {
    char name[SD_WORD], host[SD_WORD];
    int32_t port;
};
bool sd_session_request_parse(const struct sd_config *config, const json_t *json,
                              struct sd_session_request *request, struct sd_error *error);
bool sd_manager_open(struct sd_manager *manager, int64_t user, const struct sd_session_request *request,
                     const struct sd_admission *admission, uint64_t *session, uint64_t *task,
                     struct sd_error *error);
/* Where it returns true `admitted` is called once; else never. */
bool sd_manager_operate(struct sd_manager *manager, int64_t user, uint64_t session,
                        const struct sd_operation *operation, const struct sd_admission *admission,
                        uint64_t *task, struct sd_error *error);
/* Its operations are cancelled; it is gone from here on, and freed with the last of them. */
bool sd_manager_stop(struct sd_manager *manager, int64_t user, uint64_t session, struct sd_error *error);
bool sd_manager_look(struct sd_manager *manager, int64_t user, uint64_t session, struct sd_session_view *view,
                     struct sd_error *error);
/* A user's, by ascending id: at most `room`, returns how many.  One whose lock is not to be had
 * soon is left out. */
size_t sd_manager_list(struct sd_manager *manager, int64_t user, struct sd_session_view *views, size_t room);
size_t sd_manager_count(struct sd_manager *manager);
/* With a reference of the caller's; NULL: 404.  For inject_* and handlers. */
struct sd_session *sd_manager_find(struct sd_manager *manager, int64_t user, uint64_t session,
                                   struct sd_error *error);
/* The queue's handlers: "note" and "index". */
bool sd_manager_handle_queue(struct sd_workers *workers, struct sd_error *error);

#endif
