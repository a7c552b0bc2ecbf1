/* What the files of the workers share: workers.c (beginning, end, figures), worker.c (one
 * worker's thread), worker_heartbeat.c and workers_keeper.c (who replaces them).  Fields are under
 * workers.lock (80) where they say so. */
#ifndef SD_WORKERS_PRIVATE_H
#define SD_WORKERS_PRIVATE_H

#include <stdatomic.h>

#include "boot.h"
#include "event_loop.h"
#include "lock_order.h"
#include "loop_thread.h"
#include "threads.h"
#include "workers.h"

enum { SD_WORKER_HANDLERS = 16 };

/* A claimed task under way: the worker's, and of whoever cancels it. */
struct sd_worker_job {
    _Atomic int references;
    struct sd_queue_item item;
    struct sd_cancel cancel;
    int64_t started_ms;
    _Atomic int64_t asked_ms; /* when it was asked to end; 0: it was not */
};

/* One worker's life: a place has another after it died or was replaced. */
struct sd_worker {
    struct sd_workers *workers;
    struct sd_worker_place *place;
    char name[32]; /* of its claims: place and how many there were before */
    struct sd_thread *thread;
    struct sd_worker_job *job; /* under lock; NULL: idle */
    _Atomic bool replaced;     /* it ends when it comes back */
    struct sd_worker *next;    /* of old; the keeper's */
};

struct sd_worker_place {
    struct sd_worker *now;            /* under lock; NULL: none could be started */
    struct sd_worker_figures figures; /* under lock: name, counts, the heartbeat */
    int64_t beat_ms;                  /* under lock: when one was last recorded, or was to be */
};

struct sd_workers {
    const struct sd_config *config; /* these: never changed after the start */
    struct sd_pool *pool;
    struct sd_metrics *metrics;
    struct sd_boot boot; /* tells this process from all others that claim in the same database */
    int wake, stop;      /* wakeups that all loops watch: something was put; all end */
    struct {
        const char *name;
        sd_queue_handler *handler;
        void *user;
    } handlers[SD_WORKER_HANDLERS];
    size_t handler_count;
    int32_t count; /* places */

    lg_mutex_t lock;
    _Atomic bool stopping;
    struct sd_loop_thread *keeper;
    int64_t looked_ms;     /* for claims that nobody has; the keeper's */
    struct sd_worker *old; /* replaced, still running; the keeper's, then who stops it all */
    struct sd_worker_place places[];
};

enum sd_worker_outcome { SD_WORKER_DONE, SD_WORKER_RETRIED, SD_WORKER_FAILED, SD_WORKER_NOTHING };

/* A new thread for the place; false: none, and it is tried again. */
bool sd_worker_start(struct sd_workers *workers, struct sd_worker_place *place, struct sd_error *error);
/* Waits and frees; its thread has ended, or is about to. */
void sd_worker_join(struct sd_worker *worker);
/* With a reference; NULL: idle. */
struct sd_worker_job *sd_worker_job_hold(struct sd_worker *worker);
void sd_worker_job_release(struct sd_worker_job *job);
/* Queued again or failed, as its attempts say; told. */
enum sd_worker_outcome sd_worker_give_up(sqlite3 *handle, const struct sd_queue_item *item, const char *why);
/* Not while a handle is out: manager.metrics comes before pool.slots. */
void sd_worker_count(struct sd_workers *workers, struct sd_worker_place *place,
                     enum sd_worker_outcome outcome);
/* By its timer: records one; one that cannot be recorded in time is told and forgotten. */
void sd_worker_heartbeat(struct sd_loop *loop, void *worker);
/* By the keeper, where one is due: a task keeps the worker's own timer from running. */
void sd_worker_heartbeat_of_busy(struct sd_worker *worker, const struct sd_worker_job *job);
/* What processes that are gone had claimed is queued again; whether there was any. */
bool sd_workers_recover(struct sd_workers *workers, sqlite3 *handle, bool *any, struct sd_error *error);
/* The keeper's loop: begins its timer. */
bool sd_workers_keep(struct sd_loop *loop, void *workers, struct sd_error *error);

#endif
