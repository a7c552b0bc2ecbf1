#include "lock_order.h"

#include <inttypes.h>
#include <stdio.h>

#include "timed.h"

static const struct lg_level_name names[] = {
    {SD_LEVEL_GLOBAL_TASK, "manager.global_task"},
    {SD_LEVEL_METRICS, "manager.metrics"},
    {SD_LEVEL_SCRAPE_SLOTS, "manager.scrape_slots"},
    {SD_LEVEL_OPERATION_SLOTS, "manager.operation_slots"},
    {SD_LEVEL_SESSION_LOCKS, "manager.session_locks"},
    {SD_LEVEL_OPERATION, "session.operation"},
    {SD_LEVEL_TASK, "session.task"},
    {SD_LEVEL_HANDLER, "session.handler"},
    {SD_LEVEL_POOL_SLOTS, "pool.slots"},
    {SD_LEVEL_CLIENT, "client"},
    {SD_LEVEL_LEAF, "leaf"},
};

void sd_lock_order_declare(void) { lg_levels_name(names, sizeof names / sizeof names[0]); }

/* All but the last two, of which each is several. */
const struct lg_level_name *sd_lock_order_names(size_t *count) {
    *count = sizeof names / sizeof names[0] - 2;
    return names;
}

enum { HELD_OVER_IO = LG_DEFAULT | LG_MAY_BLOCK };

lg_group_t sd_held_over_io = {NULL, LG_DEFAULT_TIMEOUT, HELD_OVER_IO};
static lg_group_t of_manager = {"manager", LG_DEFAULT_TIMEOUT, LG_DEFAULT};
static lg_group_t of_manager_over_io = {"manager", LG_DEFAULT_TIMEOUT, HELD_OVER_IO};

bool sd_manager_locks_init(struct sd_manager_locks *locks, const struct sd_config *config,
                           struct sd_error *error) {
    if (lg_mutex_init(&locks->global_task, "manager.global_task", SD_LEVEL_GLOBAL_TASK) != 0 ||
        lg_mutex_init(&locks->metrics, "manager.metrics", SD_LEVEL_METRICS) != 0 ||
        lg_sem_init(&locks->scrape_slots, "manager.scrape_slots", SD_LEVEL_SCRAPE_SLOTS,
                    (unsigned)config->scrape_slots) != 0 ||
        lg_sem_init(&locks->operation_slots, "manager.operation_slots", SD_LEVEL_OPERATION_SLOTS,
                    (unsigned)config->operation_slots) != 0)
        return sd_fail(error, 500, "no_lock", "the manager's locks cannot be made");
    lg_mutex_set_group(&locks->global_task, &of_manager);
    lg_mutex_set_group(&locks->metrics, &of_manager);
    lg_sem_set_group(&locks->scrape_slots, &of_manager_over_io);
    lg_sem_set_group(&locks->operation_slots, &of_manager_over_io);
    return true;
}

void sd_manager_locks_destroy(struct sd_manager_locks *locks) {
    lg_sem_destroy(&locks->operation_slots);
    lg_sem_destroy(&locks->scrape_slots);
    lg_mutex_destroy(&locks->metrics);
    lg_mutex_destroy(&locks->global_task);
}

static void set_groups(struct sd_session_locks *locks, uint64_t id) {
    snprintf(locks->name, sizeof locks->name, "session %" PRIu64, id);
    locks->group = (lg_group_t){locks->name, LG_DEFAULT_TIMEOUT, LG_DEFAULT};
    locks->held_over_io = (lg_group_t){locks->name, LG_DEFAULT_TIMEOUT, HELD_OVER_IO};
    lg_mutex_set_group(&locks->place, &locks->group);
    lg_mutex_set_group(&locks->operation, &locks->held_over_io);
    lg_mutex_set_group(&locks->task, &locks->group);
    lg_mutex_set_group(&locks->handler, &locks->group);
}

bool sd_session_locks_init(struct sd_session_locks *locks, uint64_t id, struct sd_error *error) {
    if (lg_mutex_init_keyed(&locks->place, "manager.session_locks", SD_LEVEL_SESSION_LOCKS, id) != 0 ||
        lg_mutex_init(&locks->operation, "session.operation", SD_LEVEL_OPERATION) != 0 ||
        lg_mutex_init(&locks->task, "session.task", SD_LEVEL_TASK) != 0 ||
        lg_mutex_init(&locks->handler, "session.handler", SD_LEVEL_HANDLER) != 0)
        return sd_fail(error, 500, "no_lock", "a session's locks cannot be made");
    set_groups(locks, id);
    return true;
}

void sd_session_locks_destroy(struct sd_session_locks *locks) {
    lg_mutex_destroy(&locks->handler);
    lg_mutex_destroy(&locks->task);
    lg_mutex_destroy(&locks->operation);
    lg_mutex_destroy(&locks->place);
}

static bool use_connection(struct sd_session_locks *session, struct sd_error *error) {
    if (!sd_lock(&session->operation, error))
        return false;
    bool had = sd_lock(&session->task, error);
    if (had)
        sd_unlock(&session->task);
    sd_unlock(&session->operation);
    return had;
}

bool sd_lock_order_right(struct sd_manager_locks *locks, struct sd_session_locks *session,
                         struct sd_error *error) {
    if (!sd_slot(&locks->operation_slots, error))
        return false;
    bool done = sd_lock(&session->place, error);
    if (done) {
        sd_unlock(&session->place);
        done = use_connection(session, error);
    }
    sd_slot_end(&locks->operation_slots);
    return done;
}

bool sd_lock_order_wrong(struct sd_manager_locks *locks, struct sd_session_locks *session,
                         struct sd_error *error) {
    if (!sd_lock(&session->operation, error))
        return false;
    bool had = sd_lock(&locks->global_task, error);
    if (had)
        sd_unlock(&locks->global_task);
    sd_unlock(&session->operation);
    return had;
}
