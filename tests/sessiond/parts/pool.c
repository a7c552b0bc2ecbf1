/* Pools of database handles. */
#include <stdatomic.h>
#include <string.h>

#include "cancel.h"
#include "clock.h"
#include "parts.h"
#include "sql.h"
#include "threads.h"

/* A thread that holds a handle until it is told to give it back. */
struct holder {
    struct sd_pool *pool;
    _Atomic bool has, let_go;
    _Atomic bool refused;
    struct sd_error error;
    struct sd_thread *thread;
};

static void hold(void *of) {
    struct holder *holder = of;
    sqlite3 *handle = sd_pool_take(holder->pool, "holder", NULL, &holder->error);
    if (handle == NULL) {
        atomic_store(&holder->refused, true);
        return;
    }
    atomic_store(&holder->has, true);
    while (!atomic_load(&holder->let_go))
        part_pause(1);
    sd_pool_give(holder->pool, handle);
}

static void start(struct holder *holder, struct sd_pool *pool) {
    *holder = (struct holder){.pool = pool};
    holder->thread = sd_thread_start("holder", hold, holder, NULL);
    CHECK(holder->thread != NULL);
}

static void end(struct holder *holder) {
    atomic_store(&holder->let_go, true);
    sd_thread_join(holder->thread);
}

static void limits(void) {
    struct sd_pool *pool = part_pool(1, 2, 100);
    struct sd_pool_figures figures;
    struct sd_error error;
    struct holder holders[3];
    for (int i = 0; i < 3; i++) {
        start(&holders[i], pool);
        WAIT_FOR(atomic_load(&holders[i].has));
    }
    sd_pool_figures(pool, &figures);
    CHECK(figures.checked_out == 3 && figures.checked_in == 0 && figures.overflow == 2);
    CHECK(figures.waits == 0 && sd_pool_use(&figures) == 100);
    int64_t before = sd_now_ms();
    CHECK(sd_pool_take(pool, "late", NULL, &error) == NULL);
    CHECK_ERROR(&error, 503, "pool_timeout");
    CHECK(error.retry_after_s > 0 && sd_now_ms() - before >= 100);
    for (int i = 0; i < 3; i++)
        end(&holders[i]);
    sd_pool_figures(pool, &figures);
    CHECK(figures.checked_out == 0 && figures.checked_in == 1 && figures.overflow == 0);
    CHECK(figures.waits == 1 && figures.timeouts == 1 && figures.taken == 4);
    sd_pool_destroy(pool);
    CHECK(part_findings() == 0);
}

static void waits(void) {
    struct sd_pool *pool = part_pool(1, 0, 5000);
    struct holder first, second;
    struct sd_pool_figures figures;
    start(&first, pool);
    WAIT_FOR(atomic_load(&first.has));
    start(&second, pool);
    WAIT_FOR((sd_pool_figures(pool, &figures), figures.waits == 1));
    CHECK(!atomic_load(&second.has));
    end(&first);
    WAIT_FOR(atomic_load(&second.has));
    end(&second);
    sd_pool_destroy(pool);
}

static void never_of_both(void) {
    struct sd_pool *pool = part_pool(2, 0, 100), *other = part_pool(2, 0, 100);
    struct sd_error error;
    struct sd_pool_figures figures;
    sqlite3 *handle = sd_pool_take(pool, "test", NULL, &error);
    CHECK(handle != NULL && sd_pool_take(other, "test", NULL, &error) == NULL);
    CHECK_ERROR(&error, 500, "two_pools");
    sd_pool_figures(other, &figures);
    CHECK(figures.refused == 1 && figures.checked_out == 0);
    sd_pool_give(pool, handle);
    handle = sd_pool_take(other, "test", NULL, &error);
    CHECK(handle != NULL);
    sd_pool_give(other, handle);
    sd_pool_destroy(other);
    sd_pool_destroy(pool);
}

static int64_t users(sqlite3 *handle) {
    struct sd_sql sql;
    int64_t count = -1;
    if (sd_sql_begin(&sql, handle, "SELECT count(*) FROM users", NULL) && sd_sql_row(&sql))
        count = sd_sql_get_number(&sql, 0);
    sd_sql_end(&sql, NULL);
    return count;
}

static void rolled_back(void) {
    struct sd_pool *pool = part_pool(1, 0, 100);
    struct sd_error error;
    sqlite3 *handle = sd_pool_take(pool, "test", NULL, &error);
    int64_t before = users(handle);
    CHECK(sd_sql_transaction(handle, &error));
    CHECK(sd_sql_run(handle, "INSERT INTO users (name, created_ms) VALUES ('left behind', 0)", &error));
    CHECK(users(handle) == before + 1);
    sd_pool_give(pool, handle);
    CHECK((handle = sd_pool_take(pool, "test", NULL, &error)) != NULL);
    CHECK(sqlite3_get_autocommit(handle) && users(handle) == before);
    sd_pool_give(pool, handle);
    sd_pool_destroy(pool);
}

static void recycled_and_leaks(void) {
    struct sd_pool_settings settings = {"short", 2, 0, 100, 1, 1};
    struct sd_error error;
    struct sd_pool_figures figures;
    sd_pool_destroy(part_pool(1, 0, 100));
    struct sd_pool *pool = sd_pool_create(&settings, part_config()->data_dir, &error);
    sqlite3 *handle = sd_pool_take(pool, "first", NULL, &error);
    part_pause(1100);
    sd_pool_look_for_leaks(pool);
    sd_pool_look_for_leaks(pool);
    sd_pool_give(pool, handle);
    sd_pool_give(pool, sd_pool_take(pool, "second", NULL, &error));
    sd_pool_figures(pool, &figures);
    CHECK(figures.leaks == 1 && figures.recycled == 1 && figures.checked_in == 1);
    sd_pool_destroy(pool);
}

struct late {
    struct sd_cancel *cancel;
};
static void cancel_soon(void *of) {
    part_pause(50);
    sd_cancel_ask(of, SD_CANCEL_ASKED);
}

static void interrupted(void) {
    struct sd_pool *pool = part_pool(1, 0, 100);
    struct sd_cancel cancel;
    struct sd_error error;
    static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                                  " SELECT count(*) FROM n";
    CHECK(sd_cancel_init(&cancel, 0, &error));
    sqlite3 *handle = sd_pool_take(pool, "test", &cancel, &error);
    struct sd_thread *thread = sd_thread_start("canceller", cancel_soon, &cancel, &error);
    CHECK(!sd_sql_run(handle, endless, &error));
    CHECK_ERROR(&error, 503, "interrupted");
    sd_thread_join(thread);
    sd_pool_give(pool, handle);
    handle = sd_pool_take(pool, "test", NULL, &error);
    CHECK(handle != NULL && users(handle) >= 1); /* the next one is not interrupted */
    sd_pool_give(pool, handle);
    sd_cancel_destroy(&cancel);
    sd_pool_destroy(pool);
}

static void no_database(void) {
    struct sd_pool_settings settings;
    struct sd_error error = {0};
    sd_pool_settings_main(&settings, part_config());
    struct sd_pool *pool = sd_pool_create(&settings, "no-such-directory", &error);
    CHECK(pool != NULL && sd_pool_take(pool, "test", NULL, &error) == NULL);
    CHECK_ERROR(&error, 503, "database");
    CHECK(strstr(error.text, "no-such-directory") == NULL); /* clients need not know */
    sd_pool_destroy(pool);
}

static const struct part parts[] = {{"pool limits and its wait", limits},
                                    {"pool waits for a slot", waits},
                                    {"never a handle of both pools", never_of_both},
                                    {"a handle is rolled back", rolled_back},
                                    {"recycled handles and leaks", recycled_and_leaks},
                                    {"a statement is interrupted", interrupted},
                                    {"a pool without a database", no_database}};
const struct part_group parts_pool = {parts, sizeof parts / sizeof parts[0]};
