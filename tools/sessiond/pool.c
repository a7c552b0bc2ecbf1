#include "pool.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "lock_order.h"
#include "log.h"
#include "sql.h"
#include "timed.h"

enum { BUSY_MS = 5000 };

struct entry {
    sqlite3 *handle;
    sqlite3_stmt *check; /* asked before each use */
    struct entry *next;  /* of kept or of out; under lock */
    int64_t opened_ms, taken_ms;
    const char *taker;
    int thread; /* the kernel's id */
    struct sd_cancel *cancel;
    bool told; /* as a leak; under lock */
};

struct sd_pool {
    struct sd_pool_settings settings;
    char path[SD_PATH + 16];
    int32_t most;
    lg_sem_t slots;
    lg_mutex_t lock;
    struct entry *kept, *out;        /* under lock; kept: used last first */
    int32_t kept_count;              /* under lock */
    _Atomic int32_t out_count;       /* written under lock */
    struct sd_pool_figures counters; /* under lock: taken, recycled, leaks */
    _Atomic int64_t waits, timeouts, refused;
};

/* Of which pool the calling thread holds handles, and how many. */
static _Thread_local const struct sd_pool *mine;
static _Thread_local int mine_count;

void sd_pool_settings_main(struct sd_pool_settings *settings, const struct sd_config *config) {
    *settings = (struct sd_pool_settings){"main",
                                          config->pool_size,
                                          config->pool_overflow,
                                          config->pool_wait_ms,
                                          config->pool_recycle_s,
                                          config->pool_leak_s};
}

void sd_pool_settings_sync(struct sd_pool_settings *settings, const struct sd_config *config) {
    sd_pool_settings_main(settings, config);
    settings->name = "sync";
    settings->size = config->sync_pool_size;
    settings->overflow = config->sync_pool_overflow;
}

struct sd_pool *sd_pool_create(const struct sd_pool_settings *settings, const char *data_dir,
                               struct sd_error *error) {
    struct sd_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a pool");
        return NULL;
    }
    pool->settings = *settings;
    pool->most = settings->size + settings->overflow;
    snprintf(pool->path, sizeof pool->path, "%s/sessiond.db", data_dir);
    if (lg_sem_init(&pool->slots, "pool.slots", SD_LEVEL_POOL_SLOTS, (unsigned)pool->most) != 0 ||
        lg_mutex_init(&pool->lock, "pool.lock", SD_LEVEL_LEAF) != 0) {
        free(pool);
        sd_fail_busy(error, "no_lock", 1, "no locks for a pool");
        return NULL;
    }
    lg_sem_set_group(&pool->slots, &sd_held_over_io);
    return pool;
}

/* ---- one handle ---- */

static void close_entry(struct entry *entry) {
    sqlite3_finalize(entry->check);
    if (sqlite3_close_v2(entry->handle) != SQLITE_OK)
        sd_log(SD_LOG_WARNING, "a database handle could not be closed");
    free(entry);
}

/* Clients need not know where it is. */
static bool not_opened(const char *path, sqlite3 *handle, struct sd_error *error) {
    sd_log(SD_LOG_WARNING, "%s: %s", path, sqlite3_errmsg(handle));
    return sd_fail_busy(error, "database", 5, "the database: %s", sqlite3_errmsg(handle));
}

static bool open_handle(const char *path, struct entry *entry, struct sd_error *error) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &entry->handle, flags, NULL) != SQLITE_OK)
        return not_opened(path, entry->handle, error);
    sqlite3_extended_result_codes(entry->handle, 1);
    sqlite3_busy_timeout(entry->handle, BUSY_MS);
    entry->opened_ms = sd_now_ms();
    if (!sd_sql_run(entry->handle, "PRAGMA foreign_keys = ON", error) ||
        !sd_sql_run(entry->handle, "PRAGMA synchronous = FULL", error) ||
        !sd_sql_run(entry->handle, "PRAGMA cache_size = -256", error)) /* KiB of each of many handles */
        return false;
    static const char check[] = "SELECT 1 FROM sqlite_schema LIMIT 1";
    if (sqlite3_prepare_v3(entry->handle, check, -1, SQLITE_PREPARE_PERSISTENT, &entry->check, NULL) ==
        SQLITE_OK)
        return true;
    return not_opened(path, entry->handle, error);
}

static struct entry *open_entry(const struct sd_pool *pool, struct sd_error *error) {
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a database handle");
        return NULL;
    }
    if (open_handle(pool->path, entry, error))
        return entry;
    close_entry(entry);
    return NULL;
}

/* Reads a page: a handle whose file is gone or bad is not handed out. */
static bool usable(struct entry *entry) {
    int result = sqlite3_step(entry->check);
    sqlite3_reset(entry->check);
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* As it was when it was opened: nothing under way, nothing uncommitted. */
static void clean(struct entry *entry) {
    for (sqlite3_stmt *next = sqlite3_next_stmt(entry->handle, NULL); next != NULL;
         next = sqlite3_next_stmt(entry->handle, next))
        if (sqlite3_stmt_busy(next))
            sqlite3_reset(next);
    sd_sql_roll_back(entry->handle);
    sqlite3_busy_timeout(entry->handle, BUSY_MS);
}

/* ---- taking ---- */

static bool may_take(struct sd_pool *pool, const char *taker, struct sd_error *error) {
    if (mine_count == 0 || mine == pool)
        return true;
    atomic_fetch_add(&pool->refused, 1);
    sd_log(SD_LOG_ERROR, "%s asks pool %s for a handle while it holds one of pool %s: refused", taker,
           pool->settings.name, mine->settings.name);
    return sd_fail(error, 500, "two_pools", "%s holds a handle of pool %s and may not have one of pool %s",
                   taker, mine->settings.name, pool->settings.name);
}

static bool take_slot(struct sd_pool *pool, int32_t wait_ms, struct sd_cancel *cancel,
                      struct sd_error *error) {
    struct sd_error why;
    if (atomic_load(&pool->out_count) >= pool->most)
        atomic_fetch_add(&pool->waits, 1);
    if (sd_slot_within(&pool->slots, sd_cancel_left_ms(cancel, wait_ms), &why))
        return true;
    atomic_fetch_add(&pool->timeouts, 1);
    if (!sd_cancel_check(cancel, error))
        return false;
    return sd_fail_busy(error, "pool_timeout", 1, "no handle of pool %s was free within %d ms",
                        pool->settings.name, (int)wait_ms);
}

static struct entry *pop_kept(struct sd_pool *pool, struct sd_error *error) {
    if (!sd_lock(&pool->lock, error))
        return NULL;
    struct entry *entry = pool->kept;
    if (entry != NULL) {
        pool->kept = entry->next;
        pool->kept_count--;
    }
    sd_unlock(&pool->lock);
    return entry;
}

static void count_recycled(struct sd_pool *pool) {
    sd_lock_surely(&pool->lock);
    pool->counters.recycled++;
    sd_unlock(&pool->lock);
}

/* One that is kept, young and sound, or a new one. */
static struct entry *find_or_open(struct sd_pool *pool, struct sd_error *error) {
    int64_t oldest = sd_now_ms() - (int64_t)pool->settings.recycle_s * 1000;
    struct entry *entry;
    while ((entry = pop_kept(pool, error)) != NULL) {
        if (entry->opened_ms > oldest && usable(entry))
            return entry;
        close_entry(entry);
        count_recycled(pool);
    }
    return open_entry(pool, error);
}

static void hand_out(struct sd_pool *pool, struct entry *entry, const char *taker, struct sd_cancel *cancel) {
    entry->taker = taker;
    entry->thread = gettid();
    entry->taken_ms = sd_now_ms();
    entry->cancel = cancel;
    entry->told = false;
    sd_lock_surely(&pool->lock);
    entry->next = pool->out;
    pool->out = entry;
    pool->out_count++;
    pool->counters.taken++;
    sd_unlock(&pool->lock);
    mine = pool;
    mine_count++;
    sd_cancel_use(cancel, entry->handle);
}

sqlite3 *sd_pool_take_within(struct sd_pool *pool, int32_t wait_ms, const char *taker,
                             struct sd_cancel *cancel, struct sd_error *error) {
    if (!may_take(pool, taker, error) || !take_slot(pool, wait_ms, cancel, error))
        return NULL;
    struct entry *entry = sd_cancel_check(cancel, error) ? find_or_open(pool, error) : NULL;
    if (entry == NULL) {
        sd_slot_end(&pool->slots);
        return NULL;
    }
    hand_out(pool, entry, taker, cancel);
    return entry->handle;
}

sqlite3 *sd_pool_take(struct sd_pool *pool, const char *taker, struct sd_cancel *cancel,
                      struct sd_error *error) {
    return sd_pool_take_within(pool, pool->settings.wait_ms, taker, cancel, error);
}

/* ---- giving back ---- */

static struct entry *unlink_out(struct sd_pool *pool, const sqlite3 *handle) {
    struct entry **link = &pool->out;
    while (*link != NULL && (*link)->handle != handle)
        link = &(*link)->next;
    struct entry *entry = *link;
    if (entry == NULL)
        return NULL;
    *link = entry->next;
    pool->out_count--;
    return entry;
}

static struct entry *take_back(struct sd_pool *pool, const sqlite3 *handle) {
    sd_lock_surely(&pool->lock);
    struct entry *entry = unlink_out(pool, handle);
    sd_unlock(&pool->lock);
    return entry;
}

static bool keep(struct sd_pool *pool, struct entry *entry) {
    sd_lock_surely(&pool->lock);
    bool kept = pool->kept_count < pool->settings.size;
    if (kept) {
        entry->next = pool->kept;
        pool->kept = entry;
        pool->kept_count++;
    }
    sd_unlock(&pool->lock);
    return kept;
}

void sd_pool_give(struct sd_pool *pool, sqlite3 *handle) {
    struct entry *entry = take_back(pool, handle);
    if (entry == NULL) {
        sd_log(SD_LOG_ERROR, "a handle was given to pool %s that it never handed out", pool->settings.name);
        return;
    }
    if (entry->thread != gettid())
        sd_log(SD_LOG_ERROR, "%s took a handle of pool %s on thread %d and gave it back on another",
               entry->taker, pool->settings.name, entry->thread);
    else if (--mine_count == 0)
        mine = NULL;
    sd_cancel_use(entry->cancel, NULL);
    clean(entry);
    if (!keep(pool, entry))
        close_entry(entry);
    sd_slot_end(&pool->slots);
}

/* ---- figures ---- */

void sd_pool_figures(struct sd_pool *pool, struct sd_pool_figures *figures) {
    sd_lock_surely(&pool->lock);
    *figures = pool->counters;
    figures->checked_in = pool->kept_count;
    figures->checked_out = pool->out_count;
    sd_unlock(&pool->lock);
    figures->name = pool->settings.name;
    figures->size = pool->settings.size;
    figures->most = pool->most;
    int32_t over = figures->checked_in + figures->checked_out - figures->size;
    figures->overflow = over > 0 ? over : 0;
    figures->waits = atomic_load(&pool->waits);
    figures->timeouts = atomic_load(&pool->timeouts);
    figures->refused = atomic_load(&pool->refused);
}

int sd_pool_use(const struct sd_pool_figures *figures) {
    return figures->most == 0 ? 0 : (int)((int64_t)figures->checked_out * 100 / figures->most);
}

/* The next one that is to be told, copied. */
static bool next_leak(struct sd_pool *pool, int64_t before_ms, struct entry *leak) {
    sd_lock_surely(&pool->lock);
    struct entry *entry = pool->out;
    while (entry != NULL && (entry->told || entry->taken_ms > before_ms))
        entry = entry->next;
    if (entry != NULL) {
        entry->told = true;
        pool->counters.leaks++;
        *leak = *entry;
    }
    sd_unlock(&pool->lock);
    return entry != NULL;
}

void sd_pool_look_for_leaks(struct sd_pool *pool) {
    struct entry leak;
    int64_t now = sd_now_ms();
    while (next_leak(pool, now - (int64_t)pool->settings.leak_s * 1000, &leak))
        sd_log(SD_LOG_WARNING, "a handle of pool %s is out for %lld s: taken by %s on thread %d",
               pool->settings.name, (long long)(now - leak.taken_ms) / 1000, leak.taker, leak.thread);
}

void sd_pool_destroy(struct sd_pool *pool) {
    if (pool == NULL)
        return;
    struct entry *entry;
    while ((entry = pop_kept(pool, NULL)) != NULL)
        close_entry(entry);
    for (entry = pool->out; entry != NULL; entry = entry->next)
        sd_log(SD_LOG_ERROR, "a handle of pool %s is still out: taken by %s on thread %d",
               pool->settings.name, entry->taker, entry->thread);
    if (pool->out != NULL) /* its thread still uses all this */
        return;
    lg_sem_destroy(&pool->slots);
    lg_mutex_destroy(&pool->lock);
    free(pool);
}
