/* The task manager, and the CPU pool. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cpu_pool.h"
#include "parts.h"
#include "results.h"
#include "tasks.h"
#include "threads.h"

enum { MOST = 64 };

/* One manager with short limits, and what its callbacks told. */
struct world {
    struct sd_config config;
    lg_mutex_t lock;
    struct sd_tasks *tasks;
    _Atomic int ended[SD_TASK_STATES], admitted, refused, done;
    _Atomic bool let_go;
    char code[32];
};

static void ended(const struct sd_task_record *record, void *of) {
    struct world *world = of;
    atomic_fetch_add(&world->ended[record->state], 1);
}
static void admitted(uint64_t id, const struct sd_error *error, void *of) {
    struct world *world = of;
    (void)id;
    if (error != NULL)
        sd_copy(world->code, sizeof world->code, error->code);
    atomic_fetch_add(error == NULL ? &world->admitted : &world->refused, 1);
}
static void done(uint64_t id, enum sd_task_state state, void *of) {
    struct world *world = of;
    (void)id, (void)state;
    atomic_fetch_add(&world->done, 1);
}

static void begin(struct world *world) {
    struct sd_error error;
    *world = (struct world){.config = *part_config()};
    world->config.database_tasks = 2;
    world->config.general_tasks = 3;
    world->config.task_queue = 2;
    world->config.task_queue_wait_ms = 200;
    world->config.cancel_grace_ms = 100;
    world->config.replacement_threads = 1;
    world->config.kept_results = 4;
    lg_mutex_init(&world->lock, "manager.global_task", SD_LEVEL_GLOBAL_TASK);
    world->tasks = sd_tasks_create(&world->config, &world->lock, ended, world, &error);
    CHECK(world->tasks != NULL);
}

static void end(struct world *world) {
    atomic_store(&world->let_go, true);
    sd_tasks_refuse(world->tasks);
    CHECK(sd_tasks_finish(world->tasks, 2000) == 0);
    sd_tasks_destroy(world->tasks);
    lg_mutex_destroy(&world->lock);
}

static bool wait_for_it(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct world *world = of;
    while (!atomic_load(&world->let_go))
        if (!sd_cancel_pause(sd_task_cancel(task), 5))
            return sd_cancel_check(sd_task_cancel(task), error);
    sd_text_add(result, "{}");
    return true;
}
static bool deaf(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct world *world = of;
    (void)task, (void)result;
    while (!atomic_load(&world->let_go))
        part_pause(5);
    return sd_fail(error, 500, "late", "it answered in the end");
}
static bool vanish(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    (void)task, (void)of, (void)result, (void)error;
    pthread_exit(NULL);
}
static bool fail(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    (void)task, (void)of, (void)result;
    return sd_fail(error, 500, "broken", "it does not work");
}

static bool submit(struct world *world, sd_task_body *body, enum sd_task_kind kind, int32_t limit_ms,
                   uint64_t *id, struct sd_error *error) {
    const struct sd_task_request request = {"test", kind, 9, 1, limit_ms, body, admitted, done, world};
    return sd_tasks_submit(world->tasks, &request, id, error);
}

static struct sd_task_figures figures(struct world *world) {
    struct sd_task_figures now;
    CHECK(sd_tasks_figures(world->tasks, &now, NULL));
    return now;
}

static void limits_and_queue(void) {
    struct world world;
    struct sd_error error;
    begin(&world);
    for (int i = 0; i < 4; i++)
        CHECK(submit(&world, wait_for_it, SD_TASK_DATABASE, 0, NULL, &error));
    WAIT_FOR(atomic_load(&world.admitted) == 2);
    CHECK(figures(&world).active_database == 2 && figures(&world).queued == 2);
    for (int i = 0; i < 3; i++) /* the others' slots are not touched by that */
        CHECK(submit(&world, wait_for_it, SD_TASK_GENERAL, 0, NULL, &error));
    WAIT_FOR(figures(&world).active == 5);
    CHECK(!submit(&world, wait_for_it, SD_TASK_BROADCAST, 0, NULL, &error));
    CHECK_ERROR(&error, 503, "queue_full");
    CHECK(error.retry_after_s > 0 && atomic_load(&world.done) == 1);
    WAIT_FOR(atomic_load(&world.refused) == 2);
    CHECK(strcmp(world.code, "queue_wait") == 0 && atomic_load(&world.ended[SD_TASK_REFUSED]) == 3);
    CHECK(figures(&world).queued == 0 && figures(&world).active == 5);
    end(&world);
    CHECK(atomic_load(&world.done) == 8 && atomic_load(&world.ended[SD_TASK_COMPLETED]) == 5);
    CHECK(part_findings() == 0);
}

static void queued_one_starts(void) {
    struct world world;
    begin(&world);
    for (int i = 0; i < 4; i++)
        CHECK(submit(&world, wait_for_it, SD_TASK_DATABASE, 0, NULL, NULL));
    WAIT_FOR(figures(&world).queued == 2);
    atomic_store(&world.let_go, true);
    WAIT_FOR(atomic_load(&world.ended[SD_TASK_COMPLETED]) == 4);
    CHECK(atomic_load(&world.refused) == 0);
    end(&world);
}

static void time_limit_and_cancel(void) {
    struct world world;
    struct sd_error error;
    struct sd_task_view view;
    struct sd_text result = {0};
    uint64_t late, asked, queued;
    begin(&world);
    CHECK(submit(&world, wait_for_it, SD_TASK_DATABASE, 50, &late, &error));
    CHECK(submit(&world, wait_for_it, SD_TASK_DATABASE, 0, &asked, &error));
    CHECK(submit(&world, wait_for_it, SD_TASK_DATABASE, 0, &queued, &error));
    CHECK(sd_tasks_cancel(world.tasks, 9, queued, &error)); /* before it had a slot, or just then */
    CHECK(!sd_tasks_cancel(world.tasks, 8, asked, &error)); /* somebody else's */
    CHECK_ERROR(&error, 404, "no_task");
    CHECK(sd_tasks_cancel(world.tasks, 9, asked, &error));
    WAIT_FOR(atomic_load(&world.done) == 3);
    CHECK(sd_tasks_look(world.tasks, 9, late, &view, &result, &error) && view.state == SD_TASK_TIMED_OUT);
    CHECK_ERROR(&view.error, 504, "time_limit");
    CHECK(sd_tasks_look(world.tasks, 9, asked, &view, &result, &error) && view.state == SD_TASK_CANCELLED);
    CHECK(!sd_tasks_look(world.tasks, 8, late, &view, &result, &error) && result.length == 0);
    end(&world);
}

static void unresponsive(void) {
    struct world world;
    begin(&world);
    for (int i = 0; i < 2; i++)
        CHECK(submit(&world, deaf, SD_TASK_DATABASE, 20, NULL, NULL));
    WAIT_FOR(figures(&world).kinds[SD_TASK_DATABASE].unresponsive == 2);
    CHECK(figures(&world).kinds[SD_TASK_DATABASE].replaced == 1); /* as many as are allowed */
    CHECK(figures(&world).active_database == 2);                  /* both keep their slots */
    CHECK(submit(&world, fail, SD_TASK_DATABASE, 0, NULL, NULL)); /* one more runs in its place */
    WAIT_FOR(atomic_load(&world.ended[SD_TASK_FAILED]) == 1);
    atomic_store(&world.let_go, true);
    WAIT_FOR(figures(&world).active == 0);
    CHECK(atomic_load(&world.ended[SD_TASK_TIMED_OUT]) == 2);
    CHECK(figures(&world).kinds[SD_TASK_DATABASE].replaced == 0);
    end(&world);
}

static void lost(void) {
    struct world world;
    struct sd_task_view view;
    struct sd_text result = {0};
    uint64_t id;
    begin(&world);
    CHECK(submit(&world, vanish, SD_TASK_GENERAL, 0, &id, NULL));
    WAIT_FOR(atomic_load(&world.done) == 1);
    WAIT_FOR(sd_tasks_look(world.tasks, 9, id, &view, &result, NULL) && view.state == SD_TASK_FAILED);
    CHECK_ERROR(&view.error, 500, "task_lost");
    CHECK(submit(&world, fail, SD_TASK_GENERAL, 0, &id, NULL)); /* others go on */
    WAIT_FOR(atomic_load(&world.ended[SD_TASK_FAILED]) == 2);
    end(&world);
}

static void kept_results(void) {
    struct world world;
    uint64_t first = 0, last = 0;
    struct sd_task_view view;
    struct sd_text result = {0};
    begin(&world);
    for (int i = 0; i < 10; i++) {
        CHECK(submit(&world, fail, SD_TASK_GENERAL, 0, i == 0 ? &first : &last, NULL));
        WAIT_FOR(figures(&world).active == 0);
    }
    CHECK(figures(&world).kept == 4);
    CHECK(!sd_tasks_look(world.tasks, 9, first, &view, &result, NULL));
    CHECK(sd_tasks_look(world.tasks, 9, last, &view, &result, NULL));
    struct sd_task_figures now = figures(&world);
    CHECK(now.kinds[SD_TASK_GENERAL].top_errors[0].count == 10);
    CHECK(strcmp(now.kinds[SD_TASK_GENERAL].top_errors[0].text, "broken: it does not work") == 0);
    CHECK(now.kinds[SD_TASK_GENERAL].top_errors[1].count == 0);
    end(&world);
}

static bool say_much(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    (void)of, (void)error;
    for (uint64_t i = 0; i < 100 * sd_task_id(task); i++)
        sd_text_add(result, "[],");
    return true;
}

static bool is_kept(struct world *world, int64_t user, uint64_t id) {
    struct sd_task_view view;
    struct sd_text result = {0};
    bool kept = sd_tasks_look(world->tasks, user, id, &view, &result, NULL);
    sd_text_free(&result);
    return kept;
}

/* Whoever has most loses the oldest: another's one result stays. */
static void results_of_others(void) {
    struct world world;
    uint64_t theirs = 0, mine[10] = {0};
    begin(&world);
    struct sd_task_request request = {
        .name = "test", .kind = SD_TASK_GENERAL, .user = 10, .body = say_much, .argument = &world};
    CHECK(sd_tasks_submit(world.tasks, &request, &theirs, NULL));
    WAIT_FOR(figures(&world).kept == 1);
    for (int i = 0; i < 10; i++) {
        CHECK(submit(&world, fail, SD_TASK_GENERAL, 0, &mine[i], NULL));
        WAIT_FOR(figures(&world).active == 0);
    }
    CHECK(is_kept(&world, 10, theirs) && !is_kept(&world, 9, mine[6]) && is_kept(&world, 9, mine[7]));
    end(&world);
}

/* The nth says 300 n bytes; at most 1000 are kept of one, and 2500 of room of all. */
static void bytes_of_results(void) {
    struct world world;
    uint64_t id[6] = {0};
    struct sd_task_view view;
    struct sd_text result = {0};
    begin(&world);
    world.config.kept_results = 100;
    world.config.kept_result_bytes = 1000;
    world.config.kept_bytes = 2500;
    for (int i = 0; i < 6; i++) {
        CHECK(submit(&world, say_much, SD_TASK_GENERAL, 0, &id[i], NULL));
        WAIT_FOR(figures(&world).active == 0);
    }
    CHECK(!is_kept(&world, 9, id[0]) && is_kept(&world, 9, id[2]));
    CHECK(sd_tasks_look(world.tasks, 9, id[5], &view, &result, NULL));
    CHECK(result.bytes != NULL && strcmp(result.bytes, "{\"truncated\":true,\"bytes\":1800}") == 0);
    sd_text_free(&result);
    end(&world);
}

static void cached_results(void) {
    static struct sd_results results;
    static char large[SD_RESULT_BYTES + 1];
    struct sd_text found = {0};
    memset(large, 'x', SD_RESULT_BYTES);
    sd_results_keep(&results, "large", large);
    CHECK(!sd_results_find(&results, "large", &found) && results.bytes == 0);
    large[SD_RESULT_BYTES - 16] = 0;
    for (int i = 0; i < 2 * SD_RESULTS; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        sd_results_keep(&results, key, large);
        CHECK(results.bytes <= SD_RESULTS_BYTES && sd_results_find(&results, key, &found));
        sd_text_clear(&found);
    }
    CHECK(results.bytes > SD_RESULTS_BYTES / 2 && !sd_results_find(&results, "0", &found));
    sd_results_free(&results);
    sd_text_free(&found);
}

static void shutdown(void) {
    struct world world;
    struct sd_error error;
    begin(&world);
    CHECK(submit(&world, wait_for_it, SD_TASK_DATABASE, 0, NULL, &error));
    WAIT_FOR(atomic_load(&world.admitted) == 1);
    sd_tasks_refuse(world.tasks);
    CHECK(!submit(&world, wait_for_it, SD_TASK_DATABASE, 0, NULL, &error));
    CHECK_ERROR(&error, 503, "shutting_down");
    CHECK(sd_tasks_finish(world.tasks, 100) == 0); /* it is cancelled after that, and answers */
    CHECK(atomic_load(&world.ended[SD_TASK_CANCELLED]) == 1);
    sd_tasks_destroy(world.tasks);
    lg_mutex_destroy(&world.lock);
}

/* ---- the CPU pool ---- */

static bool add_up(void *of, const struct sd_cancel *cancel, struct sd_error *error) {
    uint64_t *sum = of;
    (void)cancel, (void)error;
    for (uint64_t i = 0; i < 1000; i++)
        *sum += i;
    return true;
}
static bool until_cancelled(void *of, const struct sd_cancel *cancel, struct sd_error *error) {
    atomic_store((_Atomic bool *)of, true);
    while (!sd_cancelled(cancel))
        continue;
    return sd_cancel_check(cancel, error);
}
struct asked {
    struct sd_cpu_pool *pool;
    struct sd_cancel *cancel;
    _Atomic bool began;
};
static void ask(void *of) {
    struct asked *asked = of;
    sd_cpu_pool_run(asked->pool, until_cancelled, &asked->began, asked->cancel, NULL);
}

static void cpu_pool(void) {
    struct sd_cancel first, second;
    struct sd_error error;
    uint64_t sum = 0;
    struct sd_cpu_pool *pool = sd_cpu_pool_create(1, &error);
    CHECK(sd_cpu_pool_run(pool, add_up, &sum, NULL, &error) && sum == 499500);
    CHECK(sd_cancel_init(&first, 0, &error) && sd_cancel_init(&second, 0, &error));
    struct asked asked = {pool, &first, false};
    struct sd_thread *thread = sd_thread_start("asker", ask, &asked, &error);
    WAIT_FOR(atomic_load(&asked.began));
    sd_cancel_ask(&second, SD_CANCEL_ASKED);
    sum = 0;
    CHECK(!sd_cpu_pool_run(pool, add_up, &sum, &second, &error) && sum == 0); /* it never began */
    CHECK_ERROR(&error, 503, "cancelled");
    sd_cancel_ask(&first, SD_CANCEL_ASKED);
    sd_thread_join(thread);
    sd_cpu_pool_destroy(pool);
    sd_cancel_destroy(&first);
    sd_cancel_destroy(&second);
}

static const struct part parts[] = {{"task limits and queue", limits_and_queue},
                                    {"a queued task starts", queued_one_starts},
                                    {"time limit and cancellation", time_limit_and_cancel},
                                    {"tasks that do not answer", unresponsive},
                                    {"a lost task", lost},
                                    {"kept results and errors", kept_results},
                                    {"results of others", results_of_others},
                                    {"bytes of results", bytes_of_results},
                                    {"cached results", cached_results},
                                    {"tasks at shutdown", shutdown},
                                    {"CPU pool", cpu_pool}};
const struct part_group parts_tasks = {parts, sizeof parts / sizeof parts[0]};
