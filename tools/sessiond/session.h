/* A session: a connection to a peer and what goes on in it.  Reference-counted: the
 * manager has one, each operation under way another.
 *
 * | lock              | level | taken by                                              |
 * | session_locks[id] | 30    | the manager, and sd_session_begin                     |
 * | session.operation | 40    | sd_session_perform, over the connection's I/O         |
 * | session.task      | 50    | entries added and removed, figures                    |
 * | session.handler   | 60    | the table of handlers; they are called without it     |
 *
 * What the HTTP thread calls (begin, end, stop, view) waits for locks of a session only a
 * moment (sd_lock_soon): one that is stuck keeps nobody else waiting.
 *
 * An operation that fails or times out lets go of all and leaves the session usable: a
 * line that is broken is closed, and made again with back-off by the next operation. */
#ifndef SD_SESSION_H
#define SD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cancel.h"
#include "config.h"
#include "cpu_pool.h"
#include "dependencies.h"
#include "error.h"
#include "events.h"
#include "lock_order.h"
#include "operations.h"
#include "pool.h"
#include "text.h"
#include "workers.h"

struct sd_session;
struct sd_session_entry;

/* What sessions work with; the service's, and all live longer. */
struct sd_session_world {
    const struct sd_config *config;
    struct sd_manager_locks *locks;
    struct sd_metrics *metrics;
    struct sd_pool *pool;
    struct sd_dependencies *dependencies;
    struct sd_cpu_pool *cpu;
    struct sd_events *events;
    struct sd_workers *workers; /* woken after an enqueue */
};

enum sd_session_state { SD_SESSION_NEW, SD_SESSION_CONNECTED, SD_SESSION_LOST, SD_SESSION_STOPPED };

struct sd_session_view {
    uint64_t id;
    char name[SD_WORD], host[SD_WORD];
    int32_t port;
    enum sd_session_state state;
    int64_t created_ms, last_used_ms; /* wall clock */
    int32_t waiting, running;         /* operations */
    uint64_t completed, failed, reconnects;
};

struct sd_session *sd_session_create(const struct sd_session_world *world, uint64_t id, int64_t user,
                                     const char *name, const char *host, int port, struct sd_error *error);
void sd_session_hold(struct sd_session *session);
void sd_session_release(struct sd_session *session); /* the last one closes and frees */
uint64_t sd_session_id(const struct sd_session *session);
int64_t sd_session_user(const struct sd_session *session);
struct sd_session_locks *sd_session_locks(struct sd_session *session);

/* An entry for a task to be: 503 session_busy where session_queue wait, 409 stopped. */
bool sd_session_begin(struct sd_session *session, const char *name, struct sd_session_entry **entry,
                      struct sd_error *error);
/* Never waits long: an end that cannot be noted now is by the next who takes locks.task. */
void sd_session_end(struct sd_session *session, struct sd_session_entry *entry, bool succeeded);
/* On the task's thread: takes its slot (20 or 21), 40, connects if need be, works, adds
 * the JSON result.  Labels itself with lg_operation. */
bool sd_session_perform(struct sd_session *session, struct sd_session_entry *entry,
                        const struct sd_operation *operation, struct sd_cancel *cancel,
                        struct sd_text *result, struct sd_error *error);
/* The connection alone, likewise: the task "connect". */
bool sd_session_connect(struct sd_session *session, struct sd_session_entry *entry, struct sd_cancel *cancel,
                        struct sd_text *result, struct sd_error *error);
/* No more operations; those that run are cancelled by the manager.
 * false: a lock was not to be had soon, and nothing has changed. */
bool sd_session_stop(struct sd_session *session, struct sd_error *error);
/* Waits that long for locks.task. */
bool sd_session_view(struct sd_session *session, struct sd_session_view *view, int32_t within_ms,
                     struct sd_error *error);

/* Called by monitor for each event, without locks.  The id is for the removal. */
typedef void sd_event_handler(struct sd_session *session, const char *sender, const char *text, void *user);
bool sd_session_add_handler(struct sd_session *session, sd_event_handler *handler, void *user, uint64_t *id,
                            struct sd_error *error);
bool sd_session_remove_handler(struct sd_session *session, uint64_t id, struct sd_error *error);

#endif
