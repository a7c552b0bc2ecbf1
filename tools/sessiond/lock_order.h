/* The order of locks.  A thread takes a lock only of a higher level than all it holds,
 * or one of the same level with a greater key where both have keys.  The manager's come
 * before a session's, never in reverse.
 *
 * Right (sd_lock_order_right): the manager, then one session, then its connection:
 *
 *     sd_slot(&locks->operation_slots, error)     21
 *         sd_lock(&session->place, error)         30, let go before anything slow
 *         sd_lock(&session->operation, error)     40, held while the connection is used
 *             sd_lock(&session->task, error)      50
 *
 * Wrong (sd_lock_order_wrong): with a session's operation under way, another thread may
 * hold the manager's lock and wait for this session; each would wait for the other:
 *
 *     sd_lock(&session->operation, error)         40
 *         sd_lock(&locks->global_task, error)     10: told as a level-violation
 */
#ifndef SD_LOCK_ORDER_H
#define SD_LOCK_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockgraph/lockgraph.h>

#include "config.h"
#include "error.h"

enum sd_level {
    SD_LEVEL_GLOBAL_TASK = 10,     /* the registry of running background tasks; not over I/O */
    SD_LEVEL_METRICS = 11,         /* counters and histograms; not over I/O */
    SD_LEVEL_SCRAPE_SLOTS = 20,    /* how many slow scrapes run; over I/O: a slot is the right to it */
    SD_LEVEL_OPERATION_SLOTS = 21, /* how many operations run; over I/O, likewise */
    SD_LEVEL_SESSION_LOCKS = 30,   /* keyed by id: a session's place in the manager; not over I/O */
    SD_LEVEL_OPERATION = 40, /* one operation at a time on a connection; over I/O: that is its purpose */
    SD_LEVEL_TASK = 50,      /* a session's task entries; not over I/O */
    SD_LEVEL_HANDLER = 60,   /* a session's table of event handlers; not over I/O, nor while one runs */
    /* Below the documented eight: what all of them may need. */
    SD_LEVEL_POOL_SLOTS = 70, /* the right to a handle of a pool; over I/O, like the slots above */
    SD_LEVEL_CLIENT = 75,     /* one request at a time to a dependency's shared client; over I/O:
                                 it serialises the pipe or handle as 40 does the connection */
    SD_LEVEL_LEAF = 80        /* a component's own few instructions; nothing is taken inside */
};

/* The locks that the table says are held over I/O are of groups that say so
 * (lg_mutex_set_group, lg_sem_set_group): of them alone that is not told as
 * blocked-under-lock.  This one is of those that belong to no session, nor the manager. */
extern lg_group_t sd_held_over_io;

/* The manager's locks: owned by the service, made first and destroyed last, lent to the
 * components that use them. */
struct sd_manager_locks {
    lg_mutex_t global_task;
    lg_mutex_t metrics;
    lg_sem_t scrape_slots;
    lg_sem_t operation_slots;
};

/* A session's.  Lines of the log about them begin with its name, "session 17". */
struct sd_session_locks {
    char name[32];
    lg_group_t group, held_over_io;
    lg_mutex_t place; /* manager.session_locks[id] */
    lg_mutex_t operation;
    lg_mutex_t task;
    lg_mutex_t handler;
};

/* Once, before any lock: tells Lockgraph what the levels are called. */
void sd_lock_order_declare(void);
/* The locks of the table above that have a level to themselves, in its order, by the names
 * that Lockgraph has, too. */
const struct lg_level_name *sd_lock_order_names(size_t *count);
bool sd_manager_locks_init(struct sd_manager_locks *locks, const struct sd_config *config,
                           struct sd_error *error);
void sd_manager_locks_destroy(struct sd_manager_locks *locks);
bool sd_session_locks_init(struct sd_session_locks *locks, uint64_t id, struct sd_error *error);
void sd_session_locks_destroy(struct sd_session_locks *locks);

/* The two examples above, as code. */
bool sd_lock_order_right(struct sd_manager_locks *locks, struct sd_session_locks *session,
                         struct sd_error *error);
bool sd_lock_order_wrong(struct sd_manager_locks *locks, struct sd_session_locks *session,
                         struct sd_error *error);

#endif
