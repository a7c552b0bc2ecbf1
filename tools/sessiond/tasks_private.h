/* What the files of the task manager share: tasks.c (submission, threads, ends),
 * tasks_keeper.c (limits), tasks_life.c (beginning, shutdown) and tasks_views.c (what others see).  All
 * fields are under manager.global_task (10) unless they say otherwise. */
#ifndef SD_TASKS_PRIVATE_H
#define SD_TASKS_PRIVATE_H

#include "histogram.h"
#include "tasks.h"
#include "threads.h"

enum {
    SD_TASK_BUCKETS = 4096,
    SD_TASK_ERRORS = 16,
    SD_TASK_GROUPS = 2,
    SD_TASK_SHARES = 1024,
    SD_TASK_RETRY_S = 2,
    SD_TASK_RETRY_SHUTDOWN_S = 5
};

/* One that runs tasks. */
struct sd_task_runner {
    struct sd_tasks *tasks;
    struct sd_thread *thread; /* NULL: being started */
    struct sd_task *task;     /* NULL: idle */
    struct sd_task_runner *next;
    lg_cond_t wake; /* it is taken off the idle, or all stop */
    bool idle;
    struct sd_task_runner *next_idle; /* of idle */
};

struct sd_task {
    /* as submitted, never changed after */
    uint64_t id, session;
    int64_t user, submitted_us, submitted_ms;
    char name[SD_TASK_NAME];
    enum sd_task_kind kind;
    int32_t limit_ms;
    sd_task_body *body;
    sd_task_admitted *admitted;
    sd_task_done *done;
    void *argument;

    enum sd_task_state state;
    bool has_slot;     /* running, or about to */
    bool has_token;    /* cancel is there, and may be asked */
    bool ending;       /* its body has returned */
    bool unresponsive; /* after its grace */
    bool counted;      /* among those that are being told that they will not run */
    bool replaced;     /* another thread has taken its place */
    int wanted;        /* enum sd_cancel_reason, asked before there was a token */
    int64_t started_us, ended_us, started_ms, ended_ms;
    int64_t until_ms; /* sd_now_ms: of its wait while queued, its limit, its grace */
    struct sd_cancel cancel;
    struct sd_text result; /* the body's until it has ended */
    struct sd_error error; /* likewise; status 0: none */

    struct sd_task *before, *next;  /* live: in order of submission; kept: of ends */
    struct sd_task *next_in_line;   /* queued, ready, or on a list of who took it off */
    struct sd_task *next_of_bucket; /* by id */
};

struct sd_task_list {
    struct sd_task *first, *last;
};
struct sd_task_line {
    struct sd_task *first, **end;
    int32_t count;
};

/* The results of one user, or of those whose ids are the same modulo SD_TASK_SHARES. */
struct sd_task_share {
    struct sd_task_list list;
    int32_t count;
    int64_t bytes;
};

struct sd_task_counters {
    int32_t active, unresponsive, replaced;
    uint64_t ended[SD_TASK_STATES];
    struct sd_histogram took;
    struct {
        char text[96];
        uint64_t count;
    } errors[SD_TASK_ERRORS];
};

struct sd_tasks {
    const struct sd_config *config; /* these four: never changed */
    lg_mutex_t *lock;
    sd_tasks_ended *ended;
    void *user;

    uint64_t last_id;
    struct sd_task *buckets[SD_TASK_BUCKETS];
    struct sd_task_list live;
    struct sd_task_share kept[SD_TASK_SHARES];
    int64_t kept_bytes;
    int32_t kept_count, live_count;
    int32_t telling; /* taken out of live, their callbacks are under way */
    struct sd_task_line queued[SD_TASK_GROUPS], ready;
    struct sd_task_counters kinds[SD_TASK_KINDS];
    struct sd_task_runner *runners, *idle; /* idle: the last one to become so first, whose caches are warm */
    int32_t threads, busy;
    bool refusing, finishing, stopping;

    lg_cond_t changed;     /* while finishing: one has ended */
    lg_cond_t keeper_wake; /* something is due before keeper_at_ms, or it stops */
    int64_t keeper_at_ms;
    struct sd_thread *keeper;
};

/* 0: database, 1: the others. */
int sd_task_group(enum sd_task_kind kind);
/* With the lock held. */
struct sd_task *sd_tasks_find(struct sd_tasks *tasks, uint64_t id);
void sd_tasks_wake_keeper(struct sd_tasks *tasks, int64_t at_ms); /* something is due then */
void sd_tasks_promote(struct sd_tasks *tasks, int group);         /* queued ones, into free slots */
void sd_tasks_wake_runner(struct sd_tasks *tasks);                /* something is ready */
void sd_tasks_wake_all(struct sd_tasks *tasks);                   /* it stops */
/* Takes a queued one out of everything; it is the caller's. */
void sd_tasks_unlink_queued(struct sd_tasks *tasks, struct sd_task *task);
void sd_tasks_ask(struct sd_tasks *tasks, struct sd_task *task, enum sd_cancel_reason reason);
void sd_task_line_add(struct sd_task_line *line, struct sd_task *task);
void sd_task_line_remove(struct sd_task_line *line, struct sd_task *task);
void sd_task_list_add(struct sd_task_list *list, struct sd_task *task);
void sd_task_list_remove(struct sd_task_list *list, struct sd_task *task);
void sd_tasks_leave_bucket(struct sd_tasks *tasks, struct sd_task *task);
/* Results that are too many; or those that are older than that; for sd_task_line_free. */
struct sd_task *sd_tasks_take_surplus(struct sd_tasks *tasks);
struct sd_task *sd_tasks_take_old(struct sd_tasks *tasks, int64_t before_us);

/* Without it. */
/* Tells all that it will not run, and frees it. */
void sd_tasks_refused(struct sd_tasks *tasks, struct sd_task *task, enum sd_task_state state,
                      const struct sd_error *error);
/* After its body has returned; its error may become the token's. */
enum sd_task_state sd_task_judge(struct sd_task *task, bool completed);
/* Tells all that it has ended, frees its slot and keeps its result. */
void sd_tasks_end(struct sd_tasks *tasks, struct sd_task_runner *runner, struct sd_task *task,
                  enum sd_task_state state, const char *stack);
void sd_task_line_free(struct sd_task *first);
/* One whose thread has ended. */
void sd_task_runner_free(struct sd_task_runner *runner);
/* Starts threads until there is one for each that is ready. */
void sd_tasks_staff(struct sd_tasks *tasks);
/* A thread is gone with its task. */
void sd_tasks_lost(struct sd_tasks *tasks, struct sd_task_runner *runner);
void sd_tasks_keep(void *tasks); /* the keeper's thread */

#endif
