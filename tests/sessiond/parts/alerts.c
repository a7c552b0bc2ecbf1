/* Alerts whose reasons HTTP cannot bring about: a loop that stands still, memory that grows, a
 * task that does not answer.  Each begins, is there once, and ends. */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "alerts.h"
#include "event_loop.h"
#include "loop_thread.h"
#include "parts.h"

enum { HEARTBEAT_MS = 2000, WINDOW_S = 1, GROWTH = 256 << 20, ROOM = 16 };

struct world {
    struct sd_config config;
    lg_mutex_t metrics_lock, tasks_lock;
    struct sd_metrics *metrics;
    struct sd_pool *pools[2];
    struct sd_tasks *tasks;
    struct sd_dependencies *dependencies;
    struct sd_watch *watch;
    struct sd_alerts *alerts;
    _Atomic bool let_go, inside;
};

static void ended(const struct sd_task_record *record, void *of) { (void)record, (void)of; }

static void begin(struct world *world) {
    struct sd_error error;
    *world = (struct world){.config = *part_config()};
    world->config.cancel_grace_ms = 50;
    world->config.alert_memory_window_s = WINDOW_S;
    lg_mutex_init(&world->metrics_lock, "manager.metrics", SD_LEVEL_METRICS);
    lg_mutex_init(&world->tasks_lock, "manager.global_task", SD_LEVEL_GLOBAL_TASK);
    world->metrics = sd_metrics_create(&world->metrics_lock, &error);
    world->pools[0] = part_pool(2, 2, 1000);
    world->pools[1] = part_pool(2, 2, 1000);
    world->tasks = sd_tasks_create(&world->config, &world->tasks_lock, ended, world, &error);
    world->dependencies = sd_dependencies_create(&world->config, world->metrics, &error);
    world->watch = sd_watch_create(&world->config, world->pools[0], world->pools[1], &error);
    const struct sd_alert_sources sources = {&world->config,      {world->pools[0], world->pools[1]},
                                             world->tasks,        world->metrics,
                                             world->dependencies, world->watch};
    world->alerts = sd_alerts_create(&sources, &error);
    CHECK(world->tasks != NULL && world->dependencies != NULL && world->watch != NULL &&
          world->alerts != NULL);
}

static void end(struct world *world) {
    sd_alerts_destroy(world->alerts);
    sd_watch_destroy(world->watch);
    sd_tasks_refuse(world->tasks);
    CHECK(sd_tasks_finish(world->tasks, 2000) == 0);
    sd_tasks_destroy(world->tasks);
    sd_dependencies_destroy(world->dependencies);
    sd_pool_destroy(world->pools[1]);
    sd_pool_destroy(world->pools[0]);
    sd_metrics_destroy(world->metrics);
    lg_mutex_destroy(&world->tasks_lock);
    lg_mutex_destroy(&world->metrics_lock);
}

/* Of that kind after a look: how many go on, and how many are over. */
struct seen {
    int active, over;
    struct sd_alert last;
};

static struct seen look(struct world *world, enum sd_alert_kind kind) {
    struct sd_alert list[ROOM];
    struct seen seen = {0};
    sd_alerts_look(world->alerts);
    size_t count = sd_alerts_list(world->alerts, list, ROOM);
    for (size_t i = 0; i < count; i++)
        if (list[i].kind == kind) {
            seen.active += list[i].cured_ms == 0;
            seen.over += list[i].cured_ms != 0;
            seen.last = list[i];
        }
    return seen;
}

/* It goes on, once, however often one looks; then it is over, with both times. */
static void check_active(struct world *world, enum sd_alert_kind kind, const char *subject) {
    for (int i = 0; i < 3; i++) {
        struct seen seen = look(world, kind);
        CHECK(seen.active == 1 && seen.over == 0 && strcmp(seen.last.subject, subject) == 0);
        CHECK(seen.last.started_ms > 0 && seen.last.text[0] != 0);
    }
}

static void check_over(struct world *world, enum sd_alert_kind kind) {
    struct seen seen = look(world, kind);
    CHECK(seen.active == 0 && seen.over == 1 && seen.last.cured_ms >= seen.last.started_ms);
}

/* ---- a loop ---- */

static bool nothing(struct sd_loop *loop, void *of, struct sd_error *error) {
    *(struct sd_loop **)of = loop;
    (void)error;
    return true;
}

static void stand_still(struct sd_loop *loop, void *of) {
    struct world *world = of;
    (void)loop;
    atomic_store(&world->inside, true);
    while (!atomic_load(&world->let_go))
        part_pause(5);
}

static bool late(struct world *world) {
    sd_watch_loops(world->watch);
    return look(world, SD_ALERT_HEARTBEAT).active > 0;
}

static void a_loop_stands_still(void) {
    struct world world;
    struct sd_error error;
    struct sd_loop *loop = NULL;
    begin(&world);
    struct sd_loop_thread *thread =
        sd_loop_thread_start("stander", HEARTBEAT_MS, nothing, NULL, &loop, &error);
    CHECK(thread != NULL && !late(&world));
    CHECK(sd_loop_post(loop, stand_still, &world, &error));
    WAIT_FOR(atomic_load(&world.inside));
    CHECK(!late(&world)); /* it has time yet */
    WAIT_FOR(late(&world));
    check_active(&world, SD_ALERT_HEARTBEAT, "stander");
    atomic_store(&world.let_go, true);
    WAIT_FOR(!late(&world));
    check_over(&world, SD_ALERT_HEARTBEAT);
    sd_loop_thread_stop(thread);
    end(&world);
}

/* ---- memory ---- */

static void next_window(struct world *world) {
    part_pause(WINDOW_S * 1000 + 100);
    sd_watch_memory(world->watch);
}

static void memory_grows(void) {
    struct world world;
    begin(&world);
    sd_watch_memory(world.watch);
    next_window(&world);
    CHECK(look(&world, SD_ALERT_MEMORY).active == 0);
    char *more =
        mmap(NULL, GROWTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    CHECK(more != MAP_FAILED);
    next_window(&world);
    check_active(&world, SD_ALERT_MEMORY, "");
    next_window(&world); /* as much as a window ago */
    check_over(&world, SD_ALERT_MEMORY);
    munmap(more, GROWTH);
    next_window(&world);
    CHECK(look(&world, SD_ALERT_MEMORY).active == 0);
    end(&world);
}

/* ---- a task ---- */

static bool be_deaf(struct sd_task *task, void *of, struct sd_text *result, struct sd_error *error) {
    struct world *world = of;
    (void)task, (void)result, (void)error;
    while (!atomic_load(&world->let_go))
        part_pause(5);
    return true;
}

static void a_task_does_not_answer(void) {
    struct world world;
    struct sd_error error;
    uint64_t id;
    begin(&world);
    const struct sd_task_request request = {.name = "deaf",
                                            .kind = SD_TASK_GENERAL,
                                            .user = 1,
                                            .limit_ms = 50,
                                            .body = be_deaf,
                                            .argument = &world};
    CHECK(look(&world, SD_ALERT_UNRESPONSIVE).active == 0);
    CHECK(sd_tasks_submit(world.tasks, &request, &id, &error));
    WAIT_FOR(look(&world, SD_ALERT_UNRESPONSIVE).active == 1);
    check_active(&world, SD_ALERT_UNRESPONSIVE, "deaf");
    atomic_store(&world.let_go, true);
    WAIT_FOR(look(&world, SD_ALERT_UNRESPONSIVE).active == 0);
    check_over(&world, SD_ALERT_UNRESPONSIVE);
    end(&world);
}

static const struct part parts[] = {{"alert of a loop that stands still", a_loop_stands_still},
                                    {"alert of memory that grows", memory_grows},
                                    {"alert of a task that does not answer", a_task_does_not_answer}};
const struct part_group parts_alerts = {parts, sizeof parts / sizeof parts[0]};
