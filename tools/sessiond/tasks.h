/* The task manager: all background work goes through it.  Each task runs on a thread of
 * its own kind's slots; a submission beyond them waits in a queue (256, at most 5 s) and
 * is refused then.  Every end is recorded once, whatever it was, and the entry is freed;
 * its result is kept for a bounded time, number and size; when they are too many, the
 * oldest of the user who has most goes.
 *
 * Takes manager.global_task (10) for the registry: never held while a task or callback
 * runs, nor over I/O.  All callbacks are called without any lock.
 *
 * Cancellation is cooperative: at its time limit, or when asked, a task's token is
 * cancelled.  One that does not answer within cancel_grace_ms keeps its slot, is
 * "unresponsive" in the figures, and another thread takes its place, up to a limit.  One
 * whose thread is gone without an end is reported as lost (lg_report) and recorded as
 * failed. */
#ifndef SD_TASKS_H
#define SD_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cancel.h"
#include "config.h"
#include "error.h"
#include "lock_order.h"
#include "text.h"

struct sd_tasks;
struct sd_task;

enum { SD_TASK_NAME = 32, SD_USER_NONE = 0 };

enum sd_task_kind {
    SD_TASK_DATABASE,  /* slots of its own: 5; time limit 30 s */
    SD_TASK_BROADCAST, /* the general slots; 10 s */
    SD_TASK_GENERAL,   /* 50 slots; 120 s */
    SD_TASK_KINDS
};
enum sd_task_state {
    SD_TASK_QUEUED,
    SD_TASK_RUNNING,
    SD_TASK_COMPLETED,
    SD_TASK_FAILED,
    SD_TASK_TIMED_OUT,
    SD_TASK_CANCELLED,
    SD_TASK_REFUSED,
    SD_TASK_STATES
};
const char *sd_task_kind_name(enum sd_task_kind kind);
const char *sd_task_state_name(enum sd_task_state state);

/* What a task's work sees of itself. */
uint64_t sd_task_id(const struct sd_task *task);
int64_t sd_task_user(const struct sd_task *task);
struct sd_cancel *sd_task_cancel(struct sd_task *task);

/* The work, on the task's thread, which begins and ends with nothing held.  `result` is
 * JSON text, kept where it returns true.  It gets ids in `argument` and opens what it
 * needs itself; if its row is gone it logs and ends. */
typedef bool sd_task_body(struct sd_task *task, void *argument, struct sd_text *result,
                          struct sd_error *error);
/* Once: error NULL: it has a slot and starts; else it was refused (503 with Retry-After:
 * queue_full, queue_wait, shutting_down) and nothing of it will run.  On any thread, also
 * within sd_tasks_submit; it must not block: answer by resuming a connection or the like. */
typedef void sd_task_admitted(uint64_t id, const struct sd_error *error, void *argument);
/* Once, last, in any case (refused ones, too): frees `argument`.  May take locks. */
typedef void sd_task_done(uint64_t id, enum sd_task_state state, void *argument);

struct sd_task_request {
    const char *name; /* copied: "scrape", "send" … one of few */
    enum sd_task_kind kind;
    int64_t user;     /* whose it is; SD_USER_NONE: the service's own */
    uint64_t session; /* 0: none */
    int32_t limit_ms; /* 0: the kind's; else at most that */
    sd_task_body *body;
    sd_task_admitted *admitted; /* or NULL */
    sd_task_done *done;         /* or NULL */
    void *argument;
};

/* How one ended; pointers last for the call. */
struct sd_task_record {
    uint64_t id, session;
    int64_t user;
    const char *name;
    enum sd_task_kind kind;
    enum sd_task_state state;
    int64_t waited_us, took_us;
    const struct sd_error *error; /* NULL: completed */
    const char *stack;            /* of the failure, "" where there is none */
};
/* Set once before the first submission (by the service, for metrics and alerts). */
typedef void sd_tasks_ended(const struct sd_task_record *record, void *user);

struct sd_tasks *sd_tasks_create(const struct sd_config *config, lg_mutex_t *global_task,
                                 sd_tasks_ended *ended, void *user, struct sd_error *error);
/* false: refused at once (503), or a mistake (500); `done` was called if it was given. */
bool sd_tasks_submit(struct sd_tasks *tasks, const struct sd_task_request *request, uint64_t *id,
                     struct sd_error *error);

struct sd_task_view {
    uint64_t id, session;
    char name[SD_TASK_NAME];
    enum sd_task_kind kind;
    enum sd_task_state state;
    bool unresponsive;
    int64_t submitted_ms, started_ms, ended_ms; /* wall clock; 0: not yet */
    struct sd_error error;                      /* of those that did not complete */
};
/* A task of that user, running or kept: 404 for others' and unknown ones.  Its result is
 * added to `result`. */
bool sd_tasks_look(struct sd_tasks *tasks, int64_t user, uint64_t id, struct sd_task_view *view,
                   struct sd_text *result, struct sd_error *error);
bool sd_tasks_cancel(struct sd_tasks *tasks, int64_t user, uint64_t id, struct sd_error *error);
/* All of a session's, running or queued; returns how many were asked. */
unsigned sd_tasks_cancel_session(struct sd_tasks *tasks, uint64_t session);
/* By a job: results that are too old. */
void sd_tasks_drop_old(struct sd_tasks *tasks);

struct sd_task_kind_figures {
    int32_t limit, active, unresponsive, replaced;
    uint64_t ended[SD_TASK_STATES];
    int64_t p50_us, p95_us, p99_us;
    struct { /* most frequent first */
        char text[96];
        uint64_t count;
    } top_errors[5];
};
struct sd_task_figures {
    int32_t active, active_database, queued, queue_limit, kept, threads;
    struct sd_task_kind_figures kinds[SD_TASK_KINDS];
};
bool sd_tasks_figures(struct sd_tasks *tasks, struct sd_task_figures *figures, struct sd_error *error);
/* Those that run or are queued, oldest first: at most `room`, returns how many. */
size_t sd_tasks_list(struct sd_tasks *tasks, struct sd_task_view *views, size_t room);

/* Shutdown in three steps: nothing is accepted; those that run may finish for a time; the
 * rest is cancelled and waited for as long again.  Returns how many did not end. */
void sd_tasks_refuse(struct sd_tasks *tasks);
unsigned sd_tasks_finish(struct sd_tasks *tasks, int32_t ms);
/* After sd_tasks_finish returned 0 all is freed; else what is still in use is left. */
void sd_tasks_destroy(struct sd_tasks *tasks);

#endif
