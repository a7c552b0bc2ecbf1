/* The order of locks, loops and tokens, the histogram. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "clock.h"
#include "event_loop.h"
#include "histogram.h"
#include "lock_order.h"
#include "metrics.h"
#include "openmetrics.h"
#include "parts.h"

#ifdef LOCKGRAPH_DISABLE
enum { LOCKGRAPH_IS_HERE = 0 };
#else
enum { LOCKGRAPH_IS_HERE = 1 };
#endif

static char line[512];
static void keep_line(enum lg_log_level level, const char *text, void *nothing) {
    (void)nothing;
    if (level == LG_LOG_WARNING)
        snprintf(line, sizeof line, "%s", text);
}

/* What Lockgraph logs of a lock says whose it is. */
static void logged(struct sd_manager_locks *manager, struct sd_session_locks *session) {
    if (!LOCKGRAPH_IS_HERE)
        return;
    int before = part_findings();
    lg_log_to(keep_line, NULL);
    CHECK(lg_mutex_unlock(&session->operation) == EPERM);
    CHECK(strstr(line, ": session 7: session.operation lock 0x") != NULL);
    CHECK(lg_mutex_unlock(&manager->metrics) == EPERM);
    CHECK(strstr(line, ": manager: manager.metrics lock 0x") != NULL);
    lg_log_to(NULL, NULL);
    CHECK(part_findings() == before + 2);
}

static void order(void) {
    struct sd_manager_locks manager;
    struct sd_session_locks session;
    struct sd_error error;
    CHECK(sd_manager_locks_init(&manager, part_config(), &error));
    CHECK(sd_session_locks_init(&session, 7, &error));
    CHECK(sd_lock_order_right(&manager, &session, &error));
    CHECK(part_findings() == 0);
    CHECK(sd_lock_order_wrong(&manager, &session, &error));
    CHECK(part_findings() == LOCKGRAPH_IS_HERE);
    logged(&manager, &session);
    sd_session_locks_destroy(&session);
    sd_manager_locks_destroy(&manager);
}

struct rounds {
    int posts, ticks, reads, pipe[2];
};

static void posted(struct sd_loop *loop, void *of) {
    (void)loop;
    ((struct rounds *)of)->posts++;
}
static void tick(struct sd_loop *loop, void *of) {
    struct rounds *rounds = of;
    if (++rounds->ticks == 3)
        sd_loop_stop(loop);
}
static void ready(struct sd_loop *loop, uint32_t events, void *of) {
    struct rounds *rounds = of;
    (void)events;
    rounds->reads++;
    sd_loop_unwatch(loop, rounds->pipe[0]);
}

static void one_loop(void) {
    struct sd_error error;
    struct rounds rounds = {0};
    struct sd_loop_figures figures[4];
    struct sd_loop *loop = sd_loop_create("first", 5000, &error);
    CHECK(loop != NULL && sd_loop_create("second", 5000, &error) == NULL);
    CHECK_ERROR(&error, 500, "second_loop");
    CHECK(sd_loops_figures(figures, 4) == 1 && strcmp(figures[0].name, "first") == 0);
    CHECK(pipe(rounds.pipe) == 0 && write(rounds.pipe[1], "x", 1) == 1);
    CHECK(sd_loop_watch(loop, rounds.pipe[0], 1 /* EPOLLIN */, ready, &rounds, &error));
    CHECK(sd_loop_timer(loop, 10, 10, tick, &rounds, &error) != NULL);
    CHECK(sd_loop_post(loop, posted, &rounds, &error) && sd_loop_post(loop, posted, &rounds, &error));
    sd_loop_run(loop);
    CHECK(rounds.ticks == 3 && rounds.posts == 2 && rounds.reads == 1);
    CHECK(!sd_loop_post(loop, posted, &rounds, &error));
    CHECK_ERROR(&error, 503, "shutting_down");
    sd_loop_destroy(loop);
    CHECK(sd_loops_figures(figures, 4) == 0);
    close(rounds.pipe[0]);
    close(rounds.pipe[1]);
}

static void first_reason_stays(void) {
    struct sd_cancel cancel;
    struct sd_error error;
    CHECK(sd_cancel_init(&cancel, 0, &error) && sd_cancel_check(&cancel, &error));
    sd_cancel_ask(&cancel, SD_CANCEL_TIME);
    sd_cancel_ask(&cancel, SD_CANCEL_SHUTDOWN);
    CHECK(!sd_cancel_check(&cancel, &error));
    CHECK_ERROR(&error, 504, "time_limit");
    int64_t before = sd_now_ms();
    CHECK(!sd_cancel_pause(&cancel, 5000) && sd_now_ms() - before < 1000);
    sd_cancel_destroy(&cancel);
}

static void histogram(void) {
    struct sd_histogram times = {0};
    CHECK(sd_histogram_quantile(&times, 50) == 0);
    for (int us = 1; us <= 10000; us++)
        sd_histogram_add(&times, us);
    int64_t half = sd_histogram_quantile(&times, 50), most = sd_histogram_quantile(&times, 99);
    CHECK(half >= 5000 && half <= 6250 && most >= 9900 && most <= 10000);
    CHECK(times.count == 10000 && times.most_us == 10000 && times.sum_us == 50005000);
}

static void metrics(void) {
    lg_mutex_t lock = LG_MUTEX_INITIALIZER("manager.metrics", SD_LEVEL_METRICS);
    struct sd_error error;
    struct sd_user_figures figures;
    struct sd_text text = {0};
    uint64_t ended, failed;
    char label[32];
    struct sd_metrics *all = sd_metrics_create(&lock, &error);
    sd_metrics_request(all, "/x", 200, 5, 100);
    sd_metrics_request(all, "/x", 429, 5, 100);
    sd_metrics_task(all, "database", "failed", 5, 10, 100);
    sd_metrics_task(all, "database", "completed", 6, 10, 100);
    for (int i = 0; i < 200; i++) {
        snprintf(label, sizeof label, "operation=\"%d\"", i);
        sd_metrics_count(all, SD_SERIES_OPERATIONS, label, 1);
    }
    CHECK(sd_metrics_user(all, 5, &figures, &error));
    CHECK(figures.requests == 2 && figures.refused == 1 && figures.tasks == 1 && figures.tasks_failed == 1);
    CHECK(sd_metrics_user(all, 7, &figures, &error) && figures.requests == 0);
    CHECK(sd_metrics_failures(all, 300, &ended, &failed, &error) && ended == 2 && failed == 1);
    CHECK(sd_metrics_write(all, &text, &error));
    CHECK(strstr(text.bytes, "sessiond_operations_total{operation=\"62\"} 1\n") != NULL);
    CHECK(strstr(text.bytes, "sessiond_operations_total{operation=\"63\"}") == NULL);
    CHECK(strstr(text.bytes, "sessiond_operations_total{operation=\"other\"} 137\n") != NULL);
    CHECK(strstr(text.bytes, "sessiond_http_request_seconds_count{route=\"/x\"} 2\n") != NULL);
    sd_text_free(&text);
    sd_metrics_destroy(all);
    lg_mutex_destroy(&lock);
}

static const struct part parts[] = {{"lock order, right and wrong", order},
                                    {"one loop a thread", one_loop},
                                    {"a token's first reason stays", first_reason_stays},
                                    {"histogram", histogram},
                                    {"metrics", metrics}};
const struct part_group parts_locks = {parts, sizeof parts / sizeof parts[0]};
