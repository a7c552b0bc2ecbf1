#include "config_keys.h"

#include "config.h"

/* clang-format off */
#define AT(field) offsetof(struct sd_config, field), sizeof(((struct sd_config *)0)->field)
#define NUMBER(field, least, most, standard, help) {#field, SD_KEY_NUMBER, AT(field), least, most, standard, help}
#define SWITCH(field, standard, help) {#field, SD_KEY_SWITCH, AT(field), 0, 1, standard, help}
#define WORD(field, least, standard, help) \
    {#field, SD_KEY_WORD, AT(field), least, sizeof(((struct sd_config *)0)->field) - 1, standard, help}
#define URL(field, help) {#field, SD_KEY_URL, AT(field), 0, SD_URL - 1, "", help}

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, MIB = 1024 * 1024 };

const struct sd_key sd_keys[] = {
    WORD(listen, 1, "127.0.0.1", "address to listen at"),
    NUMBER(port, 0, 65535, "8470", "port; 0: any"),
    WORD(port_file, 0, "", "file that is told the port"),
    NUMBER(body_limit, 64, 16 * MIB, "65536", "bytes of a request's body"),
    NUMBER(header_limit, 1024, MIB, "16384", "bytes of a request's head"),
    NUMBER(connection_limit, 1, 100000, "2000", "connections at once"),
    NUMBER(connection_timeout_ms, SECOND, HOUR, "30000", "an idle connection is closed after this"),

    WORD(default_user, 1, "default", "user that is seeded in any case"),
    WORD(admin_token, 0, "", "token of the monitoring pages; at least 16 characters"),
    {"user", SD_KEY_USER, AT(users), 0, SD_MOST_USERS, "", "NAME:TOKEN, as often as wanted"},

    WORD(data_dir, 1, "sessiond.data", "directory of the database and the blobs; made if missing"),
    WORD(log_file, 0, "", "log; else the standard error"),
    WORD(log_level, 1, "info", "error, warning, info or debug"),

    NUMBER(lock_timeout_ms, 10, HOUR, "30000", "limit of every wait for a lock"),
    NUMBER(scrape_slots, 1, 1000, "4", "slow scrapes at once"),
    NUMBER(operation_slots, 1, 1000, "64", "other operations at once"),
    SWITCH(adaptive_timeouts, "off", "limits follow how long locks are held, by operation"),
    NUMBER(adaptive_factor_percent, 100, 100000, "1000", "of the 99th percentile"),
    NUMBER(adaptive_min_ms, 1, HOUR, "1000", "the least such limit"),
    NUMBER(adaptive_max_ms, 1, HOUR, "120000", "the greatest"),

    WORD(peer_host, 1, "127.0.0.1", "peer of sessions that name none"),
    NUMBER(peer_port, 0, 65535, "8471", "its port; of --peer: where it listens, 0: any"),
    NUMBER(peer_connect_timeout_ms, 10, HOUR, "5000", "limit of connecting"),
    NUMBER(peer_read_timeout_ms, 10, HOUR, "10000", "limit of an answer"),
    NUMBER(reconnect_first_ms, 1, HOUR, "100", "first pause before connecting again; doubles"),
    NUMBER(reconnect_most_ms, 1, HOUR, "5000", "longest pause"),
    NUMBER(peer_history, 0, 10000000, "1000", "of --peer: messages it begins with"),
    NUMBER(peer_delay_ms, 0, HOUR, "0", "of --peer: before each answer"),
    NUMBER(session_limit, 1, 100000, "1000", "sessions at once"),
    NUMBER(session_limit_per_user, 1, 100000, "100", "of one user"),
    NUMBER(session_queue, 1, 10000, "16", "operations waiting in one session"),

    NUMBER(database_tasks, 1, 1000, "5", "database tasks at once"),
    NUMBER(general_tasks, 1, 1000, "50", "other tasks at once"),
    NUMBER(task_queue, 0, 100000, "256", "tasks that wait for a slot"),
    NUMBER(task_queue_wait_ms, 1, HOUR, "5000", "how long they do"),
    NUMBER(database_limit_ms, 10, HOUR, "30000", "time limit of database tasks"),
    NUMBER(broadcast_limit_ms, 10, HOUR, "10000", "of broadcasts"),
    NUMBER(general_limit_ms, 10, HOUR, "120000", "of other tasks"),
    NUMBER(cancel_grace_ms, 1, HOUR, "2000", "for a cancelled task to answer"),
    NUMBER(replacement_threads, 0, 1000, "8", "threads that take the place of such as do not"),
    NUMBER(kept_results, 1, 1000000, "4096", "results of tasks that are kept"),
    NUMBER(kept_result_s, 1, 86400, "300", "for how long"),
    NUMBER(kept_result_bytes, 64, MIB, "65536", "bytes of one; of a longer one its length is kept"),
    NUMBER(kept_bytes, 4 * MIB, 1024 * MIB, "33554432", "bytes of all of them"),
    NUMBER(cpu_threads, 1, 256, "2", "threads for computing"),
    NUMBER(shutdown_ms, 1, HOUR, "3000", "for what runs to finish at the end"),

    NUMBER(workers, 0, 256, "3", "workers of the durable queue"),
    NUMBER(worker_limit_ms, 10, HOUR, "120000", "time limit of a durable task"),
    NUMBER(worker_heartbeat_ms, 10, HOUR, "30000", "between two heartbeats"),
    NUMBER(heartbeat_limit_ms, 1, HOUR, "5000", "limit of recording one"),
    NUMBER(worker_poll_ms, 1, HOUR, "1000", "between two looks at the queue"),

    NUMBER(pool_size, 1, 1000, "10", "database handles that are kept"),
    NUMBER(pool_overflow, 0, 1000, "20", "more when needed"),
    NUMBER(sync_pool_size, 1, 1000, "5", "of the synchronous side"),
    NUMBER(sync_pool_overflow, 0, 1000, "10", "more of those"),
    NUMBER(pool_wait_ms, 1, HOUR, "30000", "wait for a handle"),
    NUMBER(pool_recycle_s, 1, 86400, "300", "a handle is replaced after this"),
    NUMBER(pool_leak_s, 1, 86400, "60", "one that is out for longer is logged"),

    NUMBER(search_failures, 1, 1000, "3", "failures in a row that open its breaker"),
    NUMBER(search_open_ms, 1, HOUR, "30000", "how long it is open"),
    NUMBER(search_limit_ms, 1, HOUR, "30000", "limit of a call"),
    NUMBER(search_idle_s, 1, 86400, "60", "the client is closed when idle for this"),
    NUMBER(model_failures, 1, 1000, "5", "likewise"),
    NUMBER(model_open_ms, 1, HOUR, "60000", "likewise"),
    NUMBER(model_limit_ms, 1, HOUR, "60000", "likewise"),
    NUMBER(store_failures, 1, 1000, "3", "likewise"),
    NUMBER(store_open_ms, 1, HOUR, "45000", "likewise"),
    NUMBER(store_limit_ms, 1, HOUR, "30000", "likewise"),
    URL(search_url, "http://… instead of the built-in search"),
    URL(model_url, "http://… instead of the child process"),
    URL(store_url, "http://… instead of files"),

    NUMBER(rate_per_s, 1, 1000000, "100", "requests a second of one user"),
    NUMBER(burst, 1, 1000000, "200", "at once"),
    NUMBER(limiter_cleanup_ms, 10, HOUR, "300000", "between two rounds of its clean-up"),
    NUMBER(limiter_cleanup_limit_ms, 1, HOUR, "30000", "limit of a round"),

    NUMBER(subscriber_limit, 1, 10000, "100", "subscribers to events"),
    NUMBER(subscriber_queue_bytes, 4096, 64 * MIB, "1048576", "queue of each"),
    NUMBER(subscriber_ping_ms, 10, HOUR, "30000", "an idle one is pinged after this"),

    SWITCH(job_limiter_cleanup, "on", "the rate limiter's clean-up"),
    SWITCH(job_pool_figures, "on", "pool figures and leaks"),
    SWITCH(job_backlog, "on", "backlog and heartbeats of loops"),
    SWITCH(job_memory, "on", "memory figures"),
    SWITCH(job_alerts, "on", "alerts"),
    SWITCH(job_results, "on", "old results, idle clients"),
    SWITCH(job_queue, "on", "old rows of the queue, old messages, what is left of blobs"),
    NUMBER(loop_heartbeat_ms, 10, HOUR, "5000", "a loop without a round for this is late"),
    NUMBER(pool_figures_ms, 10, HOUR, "60000", "between two looks"),
    NUMBER(backlog_ms, 10, HOUR, "30000", "likewise"),
    NUMBER(memory_ms, 10, HOUR, "300000", "likewise"),
    NUMBER(alerts_ms, 10, HOUR, "1000", "likewise"),
    NUMBER(results_ms, 10, HOUR, "10000", "likewise"),
    NUMBER(queue_purge_ms, 10, HOUR, "600000", "likewise"),
    NUMBER(kept_queue_s, 1, 31536000, "604800", "how long a durable task that is done is kept, with its effect"),
    NUMBER(kept_message_s, 1, 315360000, "2592000", "how long a message is kept"),
    NUMBER(kept_messages, 1, 10000000, "100000", "of each user"),
    NUMBER(archives_per_user, 1, 1000000, "1000", "names under which one user may archive"),
    NUMBER(alert_pool_percent, 1, 100, "80", "use of a pool"),
    NUMBER(alert_database_tasks, 1, 1000, "4", "database tasks"),
    NUMBER(alert_failure_percent, 0, 100, "10", "tasks that failed"),
    NUMBER(alert_failure_window_s, 10, 600, "300", "within this time"),
    NUMBER(alert_backlog, 1, 1000000, "100", "calls that wait for a loop, or durable tasks for a worker"),
    NUMBER(alert_memory_percent, 1, 10000, "20", "growth of resident memory"),
    NUMBER(alert_memory_window_s, 1, 86400, "1800", "within this time"),

    NUMBER(supervise_every_ms, 10, HOUR, "30000", "between two questions"),
    NUMBER(supervise_limit_ms, 10, HOUR, "5000", "limit of an answer"),
    NUMBER(supervise_grace_ms, 0, HOUR, "40000", "for a start"),
    NUMBER(supervise_failures, 1, 100, "2", "failures in a row before a restart"),
    WORD(inspect_command, 1, "lockgraph", "command that tells who waits for whom"),
};
/* clang-format on */

const size_t sd_key_count = sizeof sd_keys / sizeof sd_keys[0];
