/* The durable queue: attempts, claims, and what kills leave behind. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parts.h"
#include "queue.h"
#include "sql.h"
#include "workers.h"

enum { ITEMS = 1500, KILLS = 20 };

static sqlite3 *begin(struct sd_pool **pool) {
    *pool = part_pool(2, 0, 1000);
    sqlite3 *handle = sd_pool_take(*pool, "test", NULL, NULL);
    CHECK(handle != NULL);
    return handle;
}
static void end(struct sd_pool *pool, sqlite3 *handle) {
    sd_pool_give(pool, handle);
    sd_pool_destroy(pool);
}

static void attempts(void) {
    struct sd_pool *pool;
    struct sd_error error;
    struct sd_queue_item item;
    struct sd_queue_figures figures;
    int64_t id = 0, recovered = 0;
    bool retried;
    sqlite3 *handle = begin(&pool);
    CHECK(sd_queue_claim(handle, "w", "b", &item, &error) && item.id == 0);
    CHECK(sd_queue_put(handle, "note", "text", 1, &id, &error) && id > 0);
    CHECK(sd_queue_claim(handle, "w", "b", &item, &error) && item.id == id && item.attempts == 1);
    CHECK(sd_queue_put_back(handle, &item, &error)); /* does not count */
    CHECK(sd_queue_claim(handle, "w", "dead", &item, &error) && item.attempts == 1);
    CHECK(sd_queue_recover(handle, "dead", &recovered, &error) && recovered == 1); /* nor does that */
    CHECK(!sd_queue_complete(handle, &item, &error)); /* as the dead one would, if it were not */
    CHECK_ERROR(&error, 409, "claim_lost");
    CHECK(sd_queue_claim(handle, "w", "b", &item, &error) && item.attempts == 1);
    CHECK(sd_queue_give_up(handle, &item, "first", &retried, &error) && retried);
    CHECK(!sd_queue_give_up(handle, &item, "again", &retried, &error));
    CHECK_ERROR(&error, 409, "claim_lost");
    CHECK(sd_queue_claim(handle, "w", "b", &item, &error) && item.attempts == 2);
    CHECK(sd_queue_give_up(handle, &item, "second", &retried, &error) && !retried);
    CHECK(sd_queue_claim(handle, "w", "b", &item, &error) && item.id == 0);
    CHECK(sd_queue_figures(handle, &figures, &error) && figures.failed == 1 && figures.queued == 0);
    end(pool, handle);
}

static void effect_and_completion(void) {
    struct sd_pool *pool;
    struct sd_error error;
    struct sd_queue_item item;
    struct sd_queue_figures figures;
    char longer[SD_QUEUE_PAYLOAD + 1];
    sqlite3 *handle = begin(&pool);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    CHECK(!sd_queue_put(handle, "note", longer, 1, NULL, &error));
    CHECK_ERROR(&error, 413, "too_large");
    CHECK(sd_queue_put(handle, "note", "", 1, NULL, &error));
    CHECK(sd_queue_claim(handle, "w", "b", &item, &error) && sd_queue_claimed_begin(handle, &item, &error));
    CHECK(sd_sql_run(handle, "INSERT INTO effects (queue_id, user_id, text, at_ms) VALUES (1, 1, '', 0)",
                     &error));
    snprintf(item.worker, sizeof item.worker, "another"); /* the claim is lost meanwhile */
    CHECK(!sd_queue_complete(handle, &item, &error) && sqlite3_get_autocommit(handle));
    snprintf(item.worker, sizeof item.worker, "w");
    CHECK(sd_queue_claimed_begin(handle, &item, &error));
    CHECK(sd_sql_run(handle, "INSERT INTO effects (queue_id, user_id, text, at_ms) VALUES (1, 1, '', 0)",
                     &error)); /* unique: the first one is gone */
    CHECK(sd_queue_complete(handle, &item, &error) && sqlite3_get_autocommit(handle));
    CHECK(sd_queue_figures(handle, &figures, &error) && figures.done == 1);
    end(pool, handle);
}

/* ---- kills ---- */

static bool make_effect(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel,
                        void *user, struct sd_error *error) {
    struct sd_sql sql;
    (void)cancel, (void)user;
    if (!sd_sql_begin(&sql, handle,
                      "INSERT INTO effects (queue_id, user_id, text, at_ms) VALUES (?, 1, '', 0)", error))
        return false;
    sd_sql_number(&sql, 1, item->id);
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

static int64_t number(sqlite3 *handle, const char *query) {
    struct sd_sql sql;
    int64_t value = -1;
    if (sd_sql_begin(&sql, handle, query, NULL) && sd_sql_row(&sql))
        value = sd_sql_get_number(&sql, 0);
    sd_sql_end(&sql, NULL);
    return value;
}

/* Workers on the database in the directory that the parent names, until all is done. */
int part_work(void) {
    struct sd_error error;
    struct sd_config config = *part_config();
    lg_mutex_t lock = LG_MUTEX_INITIALIZER("manager.metrics", SD_LEVEL_METRICS);
    const char *directory = getenv("PARTS_DIRECTORY");
    struct sd_pool_settings settings;
    if (directory == NULL)
        return 2;
    snprintf(config.data_dir, sizeof config.data_dir, "%s", directory);
    sd_pool_settings_sync(&settings, &config);
    struct sd_pool *pool = sd_pool_create(&settings, config.data_dir, &error);
    struct sd_metrics *metrics = sd_metrics_create(&lock, &error);
    struct sd_workers *workers = sd_workers_create(&config, pool, metrics, &error);
    if (workers == NULL || !sd_workers_handle(workers, "effect", make_effect, NULL, &error) ||
        !sd_workers_start(workers, &error))
        return 2;
    int64_t left;
    do {
        part_pause(5);
        sqlite3 *handle = sd_pool_take(pool, "test", NULL, &error);
        left = number(handle, "SELECT count(*) FROM queue WHERE state IN ('queued', 'claimed')");
        sd_pool_give(pool, handle);
    } while (left != 0);
    sd_workers_stop(workers, 3000);
    sd_workers_destroy(workers);
    sd_metrics_destroy(metrics);
    sd_pool_destroy(pool);
    return 0;
}

static pid_t start_child(void) {
    extern char **environ;
    char program[] = "/proc/self/exe", work[] = "--work";
    char *arguments[] = {program, work, NULL};
    pid_t child = -1;
    CHECK(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
    return child;
}

/* Whether it ended by itself within `ms`. */
static bool ends_within(pid_t child, int ms) {
    int status = 0;
    for (int waited = 0; waited < ms; waited += 2) {
        if (waitpid(child, &status, WNOHANG) == child)
            return CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        part_pause(2);
    }
    return false;
}

static void put_all(sqlite3 *handle) {
    struct sd_error error;
    CHECK(sd_sql_transaction(handle, &error));
    for (int i = 0; i < ITEMS; i++)
        CHECK(sd_queue_put(handle, "effect", "", 1, NULL, &error));
    CHECK(sd_sql_commit(handle, &error));
}

/* A kill at a random moment leaves every task done once, with its effect, or to be done. */
static void check_all(sqlite3 *handle) {
    CHECK(number(handle, "SELECT count(*) FROM queue") == ITEMS);
    CHECK(number(handle, "SELECT count(*) FROM queue WHERE state = 'failed'") == 0);
    CHECK(number(handle, "SELECT count(*) FROM queue q LEFT JOIN effects e ON e.queue_id = q.id"
                         " WHERE (q.state = 'done') <> (e.id IS NOT NULL)") == 0);
}

static void kills(void) {
    struct sd_pool *pool;
    sqlite3 *handle = begin(&pool);
    setenv("PARTS_DIRECTORY", part_config()->data_dir, 1);
    put_all(handle);
    srand((unsigned)getpid());
    int killed = 0;
    for (int i = 0; i < KILLS; i++) {
        pid_t child = start_child();
        if (ends_within(child, 10 + rand() % 50))
            break;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        killed++;
        check_all(handle);
    }
    if (number(handle, "SELECT count(*) FROM queue WHERE state <> 'done'") > 0) {
        pid_t child = start_child();
        if (!CHECK(ends_within(child, 60000)))
            kill(child, SIGKILL);
    }
    check_all(handle);
    CHECK(number(handle, "SELECT count(*) FROM effects") == ITEMS);
    printf("    after %d kills\n", killed);
    end(pool, handle);
}

static const struct part parts[] = {{"attempts of durable tasks", attempts},
                                    {"effect and completion", effect_and_completion},
                                    {"kills leave done or queued", kills}};
const struct part_group parts_queue = {parts, sizeof parts / sizeof parts[0]};
