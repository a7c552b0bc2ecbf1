#include "session_table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lock_order.h"
#include "timed.h"

struct sd_session_table {
    const struct sd_config *config;
    _Atomic uint64_t last;
    lg_mutex_t lock;              /* what follows */
    struct sd_session **sessions; /* by ascending id */
    size_t count, room;
};

struct sd_session_table *sd_session_table_create(const struct sd_config *config, uint64_t last,
                                                 struct sd_error *error) {
    struct sd_session_table *table = calloc(1, sizeof *table);
    if (table == NULL || lg_mutex_init(&table->lock, "manager.sessions", SD_LEVEL_LEAF) != 0) {
        free(table);
        sd_fail_busy(error, "no_memory", 1, "no memory for the table of sessions");
        return NULL;
    }
    table->config = config;
    atomic_init(&table->last, last);
    return table;
}

void sd_session_table_destroy(struct sd_session_table *table) {
    if (table == NULL)
        return;
    for (size_t at = 0; at < table->count; at++)
        sd_session_release(table->sessions[at]);
    lg_mutex_destroy(&table->lock);
    free(table->sessions);
    free(table);
}

uint64_t sd_session_table_next_id(struct sd_session_table *table) {
    return atomic_fetch_add(&table->last, 1) + 1;
}

/* Under the lock: where an id is, or would be. */
static size_t place_of(const struct sd_session_table *table, uint64_t id) {
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sd_session_id(table->sessions[middle]) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_room(struct sd_session_table *table) {
    if (table->count < table->room)
        return true;
    size_t room = table->room * 2 + 16;
    struct sd_session **sessions = realloc(table->sessions, room * sizeof(struct sd_session *));
    if (sessions == NULL)
        return false;
    table->sessions = sessions;
    table->room = room;
    return true;
}

static size_t count_of(const struct sd_session_table *table, int64_t user) {
    size_t count = 0;
    for (size_t at = 0; at < table->count; at++)
        count += sd_session_user(table->sessions[at]) == user;
    return count;
}

/* Under the lock. */
static bool add(struct sd_session_table *table, struct sd_session *session, struct sd_error *error) {
    const struct sd_config *config = table->config;
    if (table->count >= (size_t)config->session_limit)
        return sd_fail_busy(error, "too_many_sessions", 5, "there are %d sessions", config->session_limit);
    if (count_of(table, sd_session_user(session)) >= (size_t)config->session_limit_per_user)
        return sd_fail_busy(error, "too_many_sessions", 5, "you have %d sessions; end one",
                            config->session_limit_per_user);
    if (!make_room(table))
        return sd_fail_busy(error, "no_memory", 1, "no memory for a session");
    size_t at = place_of(table, sd_session_id(session));
    memmove(table->sessions + at + 1, table->sessions + at,
            (table->count - at) * sizeof(struct sd_session *));
    table->sessions[at] = session;
    table->count++;
    sd_session_hold(session);
    return true;
}

bool sd_session_table_add(struct sd_session_table *table, struct sd_session *session,
                          struct sd_error *error) {
    if (!sd_lock(&table->lock, error))
        return false;
    bool added = add(table, session, error);
    sd_unlock(&table->lock);
    return added;
}

bool sd_session_table_remove(struct sd_session_table *table, struct sd_session *session) {
    sd_lock_surely(&table->lock);
    size_t at = place_of(table, sd_session_id(session));
    bool found = at < table->count && table->sessions[at] == session;
    if (found) {
        table->count--;
        memmove(table->sessions + at, table->sessions + at + 1,
                (table->count - at) * sizeof(struct sd_session *));
    }
    sd_unlock(&table->lock);
    if (found)
        sd_session_release(session);
    return found;
}

struct sd_session *sd_session_table_find(struct sd_session_table *table, int64_t user, uint64_t id,
                                         struct sd_error *error) {
    struct sd_session *session = NULL;
    if (!sd_lock(&table->lock, error))
        return NULL;
    size_t at = place_of(table, id);
    if (at < table->count && sd_session_id(table->sessions[at]) == id &&
        sd_session_user(table->sessions[at]) == user) {
        session = table->sessions[at];
        sd_session_hold(session);
    }
    sd_unlock(&table->lock);
    if (session == NULL)
        sd_fail(error, 404, "no_session", "there is no session %llu", (unsigned long long)id);
    return session;
}

size_t sd_session_table_list(struct sd_session_table *table, int64_t user, uint64_t after,
                             struct sd_session **sessions, size_t room) {
    size_t count = 0;
    if (!sd_lock(&table->lock, NULL))
        return 0;
    for (size_t at = place_of(table, after + 1); at < table->count && count < room; at++)
        if (user == 0 || sd_session_user(table->sessions[at]) == user) {
            sessions[count++] = table->sessions[at];
            sd_session_hold(table->sessions[at]);
        }
    sd_unlock(&table->lock);
    return count;
}

size_t sd_session_table_count(struct sd_session_table *table) {
    if (!sd_lock(&table->lock, NULL))
        return 0;
    size_t count = table->count;
    sd_unlock(&table->lock);
    return count;
}
