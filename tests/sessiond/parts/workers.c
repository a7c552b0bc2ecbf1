/* Workers that die, overrun, or find the service ending. */
#include <pthread.h>
#include <stdatomic.h>

#include "clock.h"
#include "metrics.h"
#include "parts.h"
#include "queue.h"
#include "sql.h"
#include "threads.h"
#include "workers.h"

struct world {
    struct sd_config config;
    lg_mutex_t lock;
    struct sd_metrics *metrics;
    struct sd_pool *pool;
    struct sd_workers *workers;
    _Atomic int calls;
    _Atomic bool let_go;
};

static void begin(struct world *world, sd_queue_handler *handler) {
    struct sd_error error;
    *world = (struct world){.config = *part_config()};
    world->config.workers = 2;
    world->config.worker_limit_ms = 100;
    world->config.cancel_grace_ms = 100;
    world->config.worker_poll_ms = 20;
    world->config.worker_heartbeat_ms = 50;
    lg_mutex_init(&world->lock, "manager.metrics", SD_LEVEL_METRICS);
    world->metrics = sd_metrics_create(&world->lock, &error);
    world->pool = part_pool(2, 4, 1000);
    world->workers = sd_workers_create(&world->config, world->pool, world->metrics, &error);
    CHECK(sd_workers_handle(world->workers, "test", handler, world, &error));
    CHECK(sd_workers_start(world->workers, &error));
}

static void end(struct world *world) {
    atomic_store(&world->let_go, true);
    sd_workers_stop(world->workers, 2000);
    sd_workers_destroy(world->workers);
    struct sd_pool_figures figures;
    sd_pool_figures(world->pool, &figures);
    CHECK(figures.checked_out == 0);
    sd_pool_destroy(world->pool);
    sd_metrics_destroy(world->metrics);
    lg_mutex_destroy(&world->lock);
}

static void put(struct world *world, const char *name) {
    sqlite3 *handle = sd_pool_take(world->pool, "test", NULL, NULL);
    CHECK(handle != NULL && sd_queue_put(handle, name, "", 1, NULL, NULL));
    sd_pool_give(world->pool, handle);
    sd_workers_wake(world->workers);
}

static struct sd_queue_figures queue(struct world *world) {
    struct sd_queue_figures figures = {0};
    sqlite3 *handle = sd_pool_take(world->pool, "test", NULL, NULL);
    CHECK(handle != NULL && sd_queue_figures(handle, &figures, NULL));
    sd_pool_give(world->pool, handle);
    return figures;
}

static struct sd_worker_figures total(struct world *world) {
    struct sd_worker_figures all[2], sum = {0};
    CHECK(sd_workers_figures(world->workers, all, 2) == 2);
    for (int i = 0; i < 2; i++) {
        sum.done += all[i].done;
        sum.retried += all[i].retried;
        sum.failed += all[i].failed;
        sum.replaced += all[i].replaced;
        sum.heartbeats += all[i].heartbeats;
        sum.heartbeats_failed += all[i].heartbeats_failed;
        sum.busy_ms += all[i].alive; /* how many are */
    }
    return sum;
}

static bool succeed(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel, void *of,
                    struct sd_error *error) {
    (void)handle, (void)item, (void)cancel, (void)error;
    atomic_fetch_add(&((struct world *)of)->calls, 1);
    return true;
}
static bool die(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel, void *of,
                struct sd_error *error) {
    (void)item, (void)cancel, (void)error;
    atomic_fetch_add(&((struct world *)of)->calls, 1);
    sd_sql_run(handle, "INSERT INTO effects (queue_id, user_id, text, at_ms) VALUES (1, 1, '', 0)", error);
    pthread_exit(NULL);
}
static bool be_deaf(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel, void *of,
                    struct sd_error *error) {
    struct world *world = of;
    (void)handle, (void)item, (void)cancel, (void)error;
    int call = atomic_fetch_add(&world->calls, 1);
    while (call < 2 && !atomic_load(&world->let_go))
        part_pause(5);
    return true;
}
static bool answer(sqlite3 *handle, const struct sd_queue_item *item, struct sd_cancel *cancel, void *of,
                   struct sd_error *error) {
    (void)handle, (void)item;
    atomic_fetch_add(&((struct world *)of)->calls, 1);
    sd_cancel_pause(cancel, 10000);
    return sd_cancel_check(cancel, error);
}

static void work(void) {
    struct world world;
    begin(&world, succeed);
    world.config.worker_limit_ms = 60000; /* however slow the machine is */
    for (int i = 0; i < 50; i++)
        put(&world, "test");
    WAIT_FOR(queue(&world).done == 50);
    WAIT_FOR(total(&world).done == 50);
    WAIT_FOR(total(&world).heartbeats >= 4);
    CHECK(total(&world).heartbeats_failed == 0 && total(&world).replaced == 0);
    put(&world, "unknown");
    WAIT_FOR(queue(&world).failed == 1);
    WAIT_FOR(total(&world).failed == 1); /* told after the commit */
    CHECK(total(&world).retried == 1 && part_findings() == 0);
    end(&world);
    CHECK(atomic_load(&world.calls) == 50);
}

static void death(void) {
    struct world world;
    begin(&world, die);
    world.config.worker_limit_ms = 60000;
    put(&world, "test");
    WAIT_FOR(queue(&world).failed == 1);
    CHECK(atomic_load(&world.calls) == 2);
    WAIT_FOR(total(&world).replaced == 2 && total(&world).busy_ms == 2);
    WAIT_FOR(total(&world).failed == 1);
    CHECK(total(&world).retried == 1);
    end(&world);
}

static void overrun_that_answers(void) {
    struct world world;
    begin(&world, answer);
    world.config.cancel_grace_ms = 60000;
    put(&world, "test");
    WAIT_FOR(queue(&world).failed == 1);
    CHECK(atomic_load(&world.calls) == 2 && total(&world).replaced == 0);
    end(&world);
}

/* What it uses stays: it counts what it did after all. */
static void end_that_does_not(void) {
    struct world world;
    begin(&world, be_deaf);
    world.config.worker_limit_ms = 60000;
    put(&world, "test");
    WAIT_FOR(atomic_load(&world.calls) == 1);
    CHECK(sd_workers_stop(world.workers, 50) == 1);
    sd_workers_destroy(world.workers); /* not while it is used */
    atomic_store(&world.let_go, true);
    CHECK(sd_threads_join_all(5000) == 0);
    CHECK(total(&world).done == 1 && queue(&world).done == 1);
    sd_pool_destroy(world.pool);
    sd_metrics_destroy(world.metrics);
    lg_mutex_destroy(&world.lock);
}

static void overrun_that_does_not(void) {
    struct world world;
    begin(&world, be_deaf);
    unsigned threads = sd_threads_running();
    put(&world, "test");
    WAIT_FOR(queue(&world).failed == 1);
    WAIT_FOR(total(&world).replaced == 2 && total(&world).busy_ms == 2);
    put(&world, "test"); /* those that took their places work */
    WAIT_FOR(queue(&world).done == 1);
    atomic_store(&world.let_go, true);
    WAIT_FOR(sd_threads_running() == threads);                   /* those that were replaced end */
    CHECK(queue(&world).done == 1 && queue(&world).failed == 1); /* too late: the claim was lost */
    end(&world);
}

static void end_within_a_task(void) {
    struct world world;
    begin(&world, answer);
    world.config.worker_limit_ms = 60000;
    put(&world, "test");
    WAIT_FOR(atomic_load(&world.calls) == 1);
    sd_workers_stop(world.workers, 1000); /* to finish, and again to give it back */
    struct sd_queue_figures figures = queue(&world);
    CHECK(figures.queued == 1 && figures.claimed == 0 && figures.failed == 0); /* it stays */
    end(&world);
}

static bool told_busy(struct world *world) {
    sqlite3 *handle = sd_pool_take(world->pool, "test", NULL, NULL);
    struct sd_sql sql;
    bool told = sd_sql_begin(&sql, handle,
                             "SELECT 1 FROM heartbeats WHERE detail LIKE '%, with task 1 for %'", NULL) &&
                sd_sql_row(&sql);
    sd_sql_end(&sql, NULL);
    sd_pool_give(world->pool, handle);
    return told;
}

static void heartbeats_within_a_task(void) {
    struct world world;
    begin(&world, be_deaf);
    world.config.worker_limit_ms = world.config.cancel_grace_ms = 60000;
    put(&world, "test");
    WAIT_FOR(told_busy(&world));
    CHECK(queue(&world).claimed == 1);
    end(&world);
}

/* As where the database was busy for as long as the worker tried to give it back. */
static void forgotten_claim(void) {
    struct world world;
    begin(&world, succeed);
    world.config.worker_limit_ms = 60000;
    put(&world, "test");
    WAIT_FOR(queue(&world).done == 1);
    sqlite3 *handle = sd_pool_take(world.pool, "test", NULL, NULL);
    CHECK(sd_sql_run(handle,
                     "INSERT INTO queue (name, payload, user_id, created_ms, state, attempts, worker, boot,"
                     " claimed_ms) SELECT name, '', 1, 0, 'claimed', 1, worker, boot, claimed_ms FROM queue",
                     NULL));
    sd_pool_give(world.pool, handle);
    CHECK(queue(&world).claimed == 1);
    WAIT_FOR(queue(&world).done == 2);
    CHECK(atomic_load(&world.calls) == 2);
    end(&world);
}

/* Another process's workers, on the same database. */
static struct sd_workers *begin_others(struct world *world) {
    struct sd_error error;
    struct sd_workers *others = sd_workers_create(&world->config, world->pool, world->metrics, &error);
    CHECK(others != NULL && sd_workers_handle(others, "test", succeed, world, &error) &&
          sd_workers_start(others, &error));
    return others;
}

static void claim_of_one_that_lives(void) {
    struct world world;
    begin(&world, be_deaf);
    world.config.worker_limit_ms = world.config.cancel_grace_ms = 60000;
    put(&world, "test");
    WAIT_FOR(atomic_load(&world.calls) == 1);
    struct sd_workers *others = begin_others(&world);
    part_pause(2500); /* they look for claims more than once */
    CHECK(queue(&world).claimed == 1 && atomic_load(&world.calls) == 1);
    atomic_store(&world.let_go, true);
    WAIT_FOR(queue(&world).done == 1);
    CHECK(atomic_load(&world.calls) == 1);
    sd_workers_stop(others, 2000);
    sd_workers_destroy(others);
    end(&world);
}

/* While others serve, not only when one begins. */
static void claim_of_one_that_is_gone(void) {
    struct world world;
    begin(&world, succeed);
    world.config.worker_limit_ms = 60000;
    sqlite3 *handle = sd_pool_take(world.pool, "test", NULL, NULL);
    CHECK(sd_sql_run(
        handle,
        "INSERT INTO queue (name, payload, user_id, created_ms, state, attempts, worker, boot,"
        " claimed_ms) VALUES ('test', '', 1, 0, 'claimed', 2, 'worker-1.0', '0123456789abcdef', 0)",
        NULL));
    sd_pool_give(world.pool, handle);
    WAIT_FOR(queue(&world).done == 1); /* the attempt of the dead does not count */
    CHECK(atomic_load(&world.calls) == 1);
    end(&world);
}

static const struct part parts[] = {{"workers work", work},
                                    {"a claim of one that lives", claim_of_one_that_lives},
                                    {"a claim of one that is gone", claim_of_one_that_is_gone},
                                    {"a worker dies", death},
                                    {"a worker does not stop", end_that_does_not},
                                    {"a worker overruns and answers", overrun_that_answers},
                                    {"a worker overruns for good", overrun_that_does_not},
                                    {"heartbeats within a task", heartbeats_within_a_task},
                                    {"a claim that nobody has", forgotten_claim},
                                    {"workers stop within a task", end_within_a_task}};
const struct part_group parts_workers = {parts, sizeof parts / sizeof parts[0]};
