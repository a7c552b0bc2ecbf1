/* The workers of the durable queue: each a thread with exactly one event loop.  One that
 * dies or overruns its time limit is replaced, its task retried once and then failed.
 * They record heartbeats in the database (5 s limit; one that fails is logged and
 * forgotten, never queued); the keeper does so for one that is busy, with its task's age.  Takes workers.lock
 * (80), never over I/O.
 *
 * The names of tasks and who handles them are told before the start, by the layers above. */
#ifndef SD_WORKERS_H
#define SD_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "cancel.h"
#include "config.h"
#include "error.h"
#include "metrics.h"
#include "pool.h"
#include "queue.h"

struct sd_workers;
/* Inside the item's transaction, which it neither commits nor rolls back; looks at the
 * token.  false: rolled back, and tried once more. */
typedef bool sd_queue_handler(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel,
                              void *user, struct sd_error *error);

struct sd_workers *sd_workers_create(const struct sd_config *config, struct sd_pool *pool,
                                     struct sd_metrics *metrics, struct sd_error *error);
/* Before the start.  The name is a literal. */
bool sd_workers_handle(struct sd_workers *workers, const char *name, sd_queue_handler *handler, void *user,
                       struct sd_error *error);
/* Recovers what a dead process left, then starts the threads. */
bool sd_workers_start(struct sd_workers *workers, struct sd_error *error);
/* Something was put: an idle worker looks now.  Any thread. */
void sd_workers_wake(struct sd_workers *workers);
/* They claim nothing more; returns at once. */
void sd_workers_quiesce(struct sd_workers *workers);
/* What runs may finish for `ms`, is then cancelled and stays in the queue.  Returns how
 * many threads do not end even so: what they use (workers, pool, metrics, its lock) must stay
 * until they are joined (sd_threads_join_all). */
unsigned sd_workers_stop(struct sd_workers *workers, int32_t ms);
void sd_workers_destroy(struct sd_workers *workers);

struct sd_worker_figures {
    char name[16];
    bool alive, busy;
    int64_t item;            /* 0: idle */
    int64_t busy_ms;         /* with that */
    int64_t heartbeat_at_ms; /* wall clock, the last that was recorded */
    uint64_t done, retried, failed, heartbeats, heartbeats_failed;
    uint32_t replaced; /* how often this place had a new thread */
};
size_t sd_workers_figures(struct sd_workers *workers, struct sd_worker_figures *figures, size_t room);

#endif
