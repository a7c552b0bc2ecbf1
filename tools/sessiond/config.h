/* Configuration: a file of `key = value` lines and flags `--key value`, which win.
 * Flags of more than one word have dashes for underscores.  Everything is validated
 * before anything is started; what is wrong is told with file:line or the flag and the
 * cure.  Read-only after sd_config_load, so no locks: all may keep a pointer to it. */
#ifndef SD_CONFIG_H
#define SD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

enum { SD_PATH = 256, SD_URL = 256, SD_WORD = 64, SD_TOKEN = 128, SD_MOST_USERS = 1000 };

enum sd_mode { SD_MODE_SERVE, SD_MODE_PEER, SD_MODE_MODEL, SD_MODE_SUPERVISE, SD_MODE_HELP };

struct sd_user_token {
    char name[SD_WORD];
    char token[SD_TOKEN]; /* at least 16 characters; never logged */
};

/* The table of keys, with defaults, limits and words of help, is config_keys.c. */
struct sd_config {
    enum sd_mode mode; /* --peer, --model, --supervise; else serve */
    char config_file[SD_PATH], inject[SD_WORD];

    /* http */
    char listen[SD_WORD]; /* 127.0.0.1 */
    int32_t port;         /* 8470; 0: any, told in the log and in port_file */
    char port_file[SD_PATH];
    int32_t body_limit, header_limit, connection_limit, connection_timeout_ms;

    /* who */
    char default_user[SD_WORD];
    char admin_token[SD_TOKEN];  /* "": the monitoring pages are closed to all */
    struct sd_user_token *users; /* `user = NAME:TOKEN`, as often as wanted */
    size_t user_count;

    /* files */
    char data_dir[SD_PATH], log_file[SD_PATH], log_level[SD_WORD];

    /* locks */
    int32_t lock_timeout_ms, scrape_slots, operation_slots;
    bool adaptive_timeouts;
    int32_t adaptive_factor_percent, adaptive_min_ms, adaptive_max_ms;

    /* sessions */
    char peer_host[SD_WORD];
    int32_t peer_port, peer_connect_timeout_ms, peer_read_timeout_ms, reconnect_first_ms, reconnect_most_ms;
    int32_t peer_history, peer_delay_ms; /* of --peer: messages it begins with; between two pages */
    int32_t session_limit, session_limit_per_user, session_queue; /* operations waiting in one session */

    /* tasks */
    int32_t database_tasks, general_tasks, task_queue, task_queue_wait_ms;
    int32_t database_limit_ms, broadcast_limit_ms, general_limit_ms, cancel_grace_ms, replacement_threads;
    int32_t kept_results, kept_result_s, kept_result_bytes, kept_bytes, cpu_threads, shutdown_ms;

    /* workers and queue */
    int32_t workers, worker_limit_ms, worker_heartbeat_ms, heartbeat_limit_ms, worker_poll_ms;

    /* pools */
    int32_t pool_size, pool_overflow, sync_pool_size, sync_pool_overflow;
    int32_t pool_wait_ms, pool_recycle_s, pool_leak_s;

    /* breakers: failures, how long open, limit of a call */
    int32_t search_failures, search_open_ms, search_limit_ms, search_idle_s;
    int32_t model_failures, model_open_ms, model_limit_ms;
    int32_t store_failures, store_open_ms, store_limit_ms;
    char search_url[SD_URL], model_url[SD_URL], store_url[SD_URL]; /* "": the built-in one */

    /* limiter */
    int32_t rate_per_s, burst, limiter_cleanup_ms, limiter_cleanup_limit_ms;

    /* events */
    int32_t subscriber_limit, subscriber_queue_bytes, subscriber_ping_ms;

    /* watching itself: how often, and when it is an alert */
    bool job_limiter_cleanup, job_pool_figures, job_backlog, job_memory, job_alerts, job_results, job_queue;
    int32_t loop_heartbeat_ms, pool_figures_ms, backlog_ms, memory_ms, alerts_ms, results_ms, queue_purge_ms;
    int32_t kept_queue_s, kept_message_s, kept_messages, archives_per_user;
    int32_t alert_pool_percent, alert_database_tasks, alert_failure_percent, alert_failure_window_s;
    int32_t alert_backlog, alert_memory_percent, alert_memory_window_s;

    /* --supervise */
    int32_t supervise_every_ms, supervise_limit_ms, supervise_grace_ms, supervise_failures;
    char inspect_command[SD_PATH]; /* "lockgraph" */
};

/* false: something is wrong, and was told on `told` (exit status 2). */
bool sd_config_load(struct sd_config *config, int count, char *const *arguments, FILE *told);
void sd_config_free(struct sd_config *config);
/* All keys with defaults and what they mean. */
void sd_config_help(FILE *out);

#endif
