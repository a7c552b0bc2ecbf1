/* The service looks at itself: heartbeats of all loops, pool figures, backlog of loops and
 * queue, memory.  Keeps what alerts and the dashboard ask for.  A loop that is late is
 * logged with what the kernel says of its thread; its stack and the locks it holds are
 * told by Lockgraph, whose findings are logged here, too.  Takes watch.lock (80), and
 * pool.slots (70) of the synchronous side for the queue's figures, one after the other. */
#ifndef SD_WATCH_H
#define SD_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "error.h"
#include "event_loop.h"
#include "pool.h"
#include "queue.h"

struct sd_watch;

struct sd_watch_figures {
    int64_t rss_bytes, vms_bytes; /* at the last look */
    int32_t rss_growth_percent;   /* over alert_memory_window_s; 0 until that is known */
    size_t loop_backlog;          /* what waits for one loop, the greatest of all */
    size_t backlog;               /* that, or for the loops of the workers the durable queue */
    struct sd_queue_figures queue;
    char late_loop[16]; /* "": none */
    int64_t late_ms;
    int64_t up_ms;
};

struct sd_watch *sd_watch_create(const struct sd_config *config, struct sd_pool *main_pool,
                                 struct sd_pool *sync_pool, struct sd_error *error);
void sd_watch_destroy(struct sd_watch *watch);
/* The jobs; each by one thread at a time. */
void sd_watch_loops(struct sd_watch *watch);
void sd_watch_pools(struct sd_watch *watch);
void sd_watch_backlog(struct sd_watch *watch); /* of loops */
/* The durable queue's figures; in a task, since it asks the database. */
bool sd_watch_queue(struct sd_watch *watch, struct sd_error *error);
void sd_watch_memory(struct sd_watch *watch);
void sd_watch_figures(struct sd_watch *watch, struct sd_watch_figures *figures);

#endif
