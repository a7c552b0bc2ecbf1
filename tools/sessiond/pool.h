/* A pool of SQLite handles: `size` are kept, `overflow` more are opened when asked for
 * and closed when given back.  Takes pool.slots (70), held as long as a handle is out,
 * and pool.lock (80) for the list, never while a handle is opened, checked or closed.
 *
 * A handle belongs to one task and thread until it is given back, is checked before use,
 * recycled after a time and rolled back on return.  A thread that holds one of the other
 * pool is refused and logged (500 two_pools).  Do not ask for a second one while holding
 * a first: with more tasks than slots that is a deadlock.  Creators hand over ids, never
 * handles or rows. */
#ifndef SD_POOL_H
#define SD_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "cancel.h"
#include "config.h"
#include "error.h"
#include "text.h"

struct sd_pool;

struct sd_pool_settings {
    const char *name; /* "main", "sync"; a literal */
    int32_t size, overflow, wait_ms, recycle_s, leak_s;
};

struct sd_pool_figures {
    const char *name;
    int32_t size, most, checked_in, checked_out, overflow; /* now; most = size + overflow limit */
    int64_t taken, waits, timeouts, recycled, leaks, refused;
};

/* The database is <data_dir>/sessiond.db.  Opens nothing yet. */
struct sd_pool *sd_pool_create(const struct sd_pool_settings *settings, const char *data_dir,
                               struct sd_error *error);
void sd_pool_settings_main(struct sd_pool_settings *settings, const struct sd_config *config);
void sd_pool_settings_sync(struct sd_pool_settings *settings, const struct sd_config *config);
/* All must have been given back; what is still out is logged with its taker and left. */
void sd_pool_destroy(struct sd_pool *pool);

/* `taker` is a literal for the log.  `cancel` may be NULL; while the handle is out it
 * interrupts its statements.  NULL: 503 pool_timeout, 500 two_pools, 503 database. */
sqlite3 *sd_pool_take(struct sd_pool *pool, const char *taker, struct sd_cancel *cancel,
                      struct sd_error *error);
/* With a wait of its own, for what must not wait long (heartbeats). */
sqlite3 *sd_pool_take_within(struct sd_pool *pool, int32_t wait_ms, const char *taker,
                             struct sd_cancel *cancel, struct sd_error *error);
void sd_pool_give(struct sd_pool *pool, sqlite3 *handle);

void sd_pool_figures(struct sd_pool *pool, struct sd_pool_figures *figures);
/* Percent of `most` that is out. */
int sd_pool_use(const struct sd_pool_figures *figures);
/* Logs handles that are out for more than leak_s, once each, with taker and thread. */
void sd_pool_look_for_leaks(struct sd_pool *pool);

#endif
