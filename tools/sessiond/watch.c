#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lockgraph/finding.h>

#include "clock.h"
#include "lock_order.h"
#include "log.h"
#include "text.h"
#include "timed.h"

enum { LOOPS = 64, READINGS = 64, QUEUE_WAIT_MS = 1000 };

/* Memory at a time, so that growth over the window is known. */
struct reading {
    int64_t at_ms, rss_bytes;
};

struct sd_watch {
    const struct sd_config *config;
    struct sd_pool *pools[2]; /* main, sync */
    int64_t began_ms;
    lg_mutex_t lock;
    struct sd_watch_figures figures; /* under lock */
    /* Of the thread of the jobs alone. */
    struct reading readings[READINGS];
    size_t reading_count;
    bool looked;
    char told_late[16]; /* the loop that was told to be late */
};

/* With whatever the thread holds: the log takes no lock. */
static void log_finding(const struct lg_finding *finding, void *user) {
    char text[1024];
    (void)user;
    sd_copy(text, sizeof text, finding->text);
    for (char *at = text; (at = strchr(at, '\n')) != NULL;)
        *at = '|';
    sd_log(finding->severity == LG_ERROR     ? SD_LOG_ERROR
           : finding->severity == LG_WARNING ? SD_LOG_WARNING
                                             : SD_LOG_INFO,
           "lockgraph: %s: %s", finding->kind, text);
}

struct sd_watch *sd_watch_create(const struct sd_config *config, struct sd_pool *main_pool,
                                 struct sd_pool *sync_pool, struct sd_error *error) {
    struct sd_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL || lg_mutex_init(&watch->lock, "watch.lock", SD_LEVEL_LEAF) != 0) {
        free(watch);
        sd_fail_busy(error, "no_memory", 1, "no memory for watching");
        return NULL;
    }
    watch->config = config;
    watch->pools[0] = main_pool;
    watch->pools[1] = sync_pool;
    watch->began_ms = sd_now_ms();
    lg_on_finding(log_finding, NULL);
    sd_watch_memory(watch);
    return watch;
}

void sd_watch_destroy(struct sd_watch *watch) {
    if (watch == NULL)
        return;
    lg_on_finding(NULL, NULL);
    lg_mutex_destroy(&watch->lock);
    free(watch);
}

/* --- loops */

/* A word of what the kernel knows of a thread; "" where it does not say. */
static void read_word(int thread, const char *what, char *word, size_t room) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", thread, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, word, room - 1);
    word[length < 0 ? 0 : length] = 0;
    word[strcspn(word, "\n")] = 0;
    if (fd >= 0)
        close(fd);
}

static void tell_late(struct sd_watch *watch, const struct sd_loop_figures *loop) {
    char where[64], call[64];
    if (strcmp(watch->told_late, loop->name) == 0)
        return;
    sd_copy(watch->told_late, sizeof watch->told_late, loop->name);
    read_word(loop->thread, "wchan", where, sizeof where);
    read_word(loop->thread, "syscall", call, sizeof call);
    sd_log(SD_LOG_WARNING, "loop %s (thread %d) made no round for %lld ms; the kernel has it in %s, call %s",
           loop->name, loop->thread, (long long)loop->beat_age_ms, where, call);
}

void sd_watch_loops(struct sd_watch *watch) {
    struct sd_loop_figures loops[LOOPS];
    size_t count = sd_loops_figures(loops, LOOPS);
    const struct sd_loop_figures *late = NULL;
    for (size_t i = 0; i < count; i++)
        if (loops[i].beat_age_ms > loops[i].heartbeat_ms &&
            (late == NULL || loops[i].beat_age_ms > late->beat_age_ms))
            late = &loops[i];
    if (late != NULL)
        tell_late(watch, late);
    else if (watch->told_late[0] != 0) {
        sd_log(SD_LOG_INFO, "loop %s makes its rounds again", watch->told_late);
        watch->told_late[0] = 0;
    }
    if (!sd_lock(&watch->lock, NULL))
        return;
    sd_copy(watch->figures.late_loop, sizeof watch->figures.late_loop, late == NULL ? "" : late->name);
    watch->figures.late_ms = late == NULL ? 0 : late->beat_age_ms;
    sd_unlock(&watch->lock);
}

/* --- pools */

void sd_watch_pools(struct sd_watch *watch) {
    for (int i = 0; i < 2; i++) {
        struct sd_pool_figures figures;
        sd_pool_look_for_leaks(watch->pools[i]);
        sd_pool_figures(watch->pools[i], &figures);
        bool full = sd_pool_use(&figures) > watch->config->alert_pool_percent;
        sd_log(full ? SD_LOG_WARNING : SD_LOG_INFO,
               "pool %s: %d of %d out, %d kept, %d overflow, %lld waits, %lld timeouts%s", figures.name,
               figures.checked_out, figures.most, figures.checked_in, figures.overflow,
               (long long)figures.waits, (long long)figures.timeouts, full ? ": nearly all are in use" : "");
    }
}

/* --- backlog */

static size_t greatest_backlog(char name[16]) {
    struct sd_loop_figures loops[LOOPS];
    size_t count = sd_loops_figures(loops, LOOPS), greatest = 0;
    name[0] = 0;
    for (size_t i = 0; i < count; i++)
        if (loops[i].backlog > greatest) {
            greatest = loops[i].backlog;
            sd_copy(name, 16, loops[i].name);
        }
    return greatest;
}

static void tell_backlog(const struct sd_watch *watch, const char *name, size_t backlog) {
    if (backlog > (size_t)watch->config->alert_backlog)
        sd_log(SD_LOG_WARNING, "loop %s: %zu calls wait", name, backlog);
}

void sd_watch_backlog(struct sd_watch *watch) {
    char name[16];
    size_t backlog = greatest_backlog(name);
    tell_backlog(watch, name, backlog);
    if (!sd_lock(&watch->lock, NULL))
        return;
    watch->figures.loop_backlog = backlog;
    sd_unlock(&watch->lock);
}

bool sd_watch_queue(struct sd_watch *watch, struct sd_error *error) {
    struct sd_queue_figures queue = {0};
    sqlite3 *handle = sd_pool_take_within(watch->pools[1], QUEUE_WAIT_MS, "backlog", NULL, error);
    bool well = handle != NULL && sd_queue_figures(handle, &queue, error);
    if (handle != NULL)
        sd_pool_give(watch->pools[1], handle);
    if (!well)
        return false;
    tell_backlog(watch, "of workers", (size_t)queue.queued);
    if (!sd_lock(&watch->lock, error))
        return false;
    watch->figures.queue = queue;
    sd_unlock(&watch->lock);
    return true;
}

/* --- memory */

static bool read_memory(int64_t *vms, int64_t *rss) {
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    long long virtual_pages, resident_pages;
    if (fd >= 0)
        close(fd);
    if (length <= 0 || sscanf(text, "%lld %lld", &virtual_pages, &resident_pages) != 2)
        return false;
    *vms = virtual_pages * sysconf(_SC_PAGESIZE);
    *rss = resident_pages * sysconf(_SC_PAGESIZE);
    return true;
}

/* Against the oldest reading in the window; 0 until one is old enough to compare with. */
static int32_t growth(struct sd_watch *watch, int64_t now, int64_t rss) {
    int64_t window = (int64_t)watch->config->alert_memory_window_s * 1000;
    size_t old = 0;
    while (old + 1 < watch->reading_count && watch->readings[old + 1].at_ms <= now - window)
        old++; /* the last one that is at least as old as the window */
    watch->reading_count -= old;
    memmove(watch->readings, watch->readings + old, watch->reading_count * sizeof watch->readings[0]);
    bool room = watch->reading_count < READINGS;
    bool apart = watch->reading_count == 0 ||
                 now - watch->readings[watch->reading_count - 1].at_ms >= window / (READINGS - 2);
    if (room && apart)
        watch->readings[watch->reading_count++] = (struct reading){now, rss};
    const struct reading *first = &watch->readings[0];
    if (first->at_ms > now - window || first->rss_bytes == 0)
        return 0;
    return (int32_t)((rss - first->rss_bytes) * 100 / first->rss_bytes);
}

/* The first look, at the start, is nothing to compare with. */
void sd_watch_memory(struct sd_watch *watch) {
    int64_t vms, rss;
    if (!read_memory(&vms, &rss))
        return;
    int32_t grown = watch->looked ? growth(watch, sd_now_ms(), rss) : 0;
    watch->looked = true;
    sd_log(SD_LOG_INFO, "memory: %lld KiB resident, %lld KiB virtual, %d %% more than %d s ago",
           (long long)rss / 1024, (long long)vms / 1024, grown, watch->config->alert_memory_window_s);
    if (!sd_lock(&watch->lock, NULL))
        return;
    watch->figures.rss_bytes = rss;
    watch->figures.vms_bytes = vms;
    watch->figures.rss_growth_percent = grown;
    sd_unlock(&watch->lock);
}

void sd_watch_figures(struct sd_watch *watch, struct sd_watch_figures *figures) {
    *figures = (struct sd_watch_figures){0};
    if (sd_lock(&watch->lock, NULL)) {
        *figures = watch->figures;
        sd_unlock(&watch->lock);
    }
    size_t queued = (size_t)figures->queue.queued;
    figures->backlog = queued > figures->loop_backlog ? queued : figures->loop_backlog;
    figures->up_ms = sd_now_ms() - watch->began_ms;
}
