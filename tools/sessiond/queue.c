#include "queue.h"

#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "sql.h"
#include "text.h"

bool sd_queue_put(sqlite3 *handle, const char *name, const char *payload, int64_t user, int64_t *id,
                  struct sd_error *error) {
    struct sd_sql sql;
    static const char insert[] = "INSERT INTO queue (name, payload, user_id, created_ms) VALUES (?, ?, ?, ?)";
    if (strlen(name) >= sizeof((struct sd_queue_item *)0)->name || strlen(payload) >= SD_QUEUE_PAYLOAD)
        return sd_fail(error, 413, "too_large", "a durable task carries %d bytes at most",
                       SD_QUEUE_PAYLOAD - 1);
    if (!sd_sql_begin(&sql, handle, insert, error))
        return false;
    sd_sql_text(&sql, 1, name);
    sd_sql_text(&sql, 2, payload);
    sd_sql_number(&sql, 3, user);
    sd_sql_number(&sql, 4, sd_wall_ms());
    sd_sql_row(&sql);
    if (!sd_sql_end(&sql, error))
        return false;
    if (id != NULL)
        *id = sqlite3_last_insert_rowid(handle);
    return true;
}

/* A look first: an update would take the right to write, also for nothing. */
static bool any_queued(sqlite3 *handle, bool *any, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, "SELECT 1 FROM queue WHERE state = 'queued' LIMIT 1", error))
        return false;
    *any = sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

static void read_item(struct sd_sql *sql, struct sd_queue_item *item) {
    item->id = sd_sql_get_number(sql, 0);
    item->user = sd_sql_get_number(sql, 1);
    item->attempts = (int32_t)sd_sql_get_number(sql, 2);
    sd_copy(item->name, sizeof item->name, sd_sql_get_text(sql, 3));
    sd_copy(item->payload, sizeof item->payload, sd_sql_get_text(sql, 4));
}

bool sd_queue_claim(sqlite3 *handle, const char *worker, const char *boot, struct sd_queue_item *item,
                    struct sd_error *error) {
    struct sd_sql sql;
    bool any = false;
    static const char claim[] =
        "UPDATE queue SET state = 'claimed', worker = ?, boot = ?, claimed_ms = ?, attempts = attempts + 1"
        " WHERE id = (SELECT id FROM queue WHERE state = 'queued' ORDER BY id LIMIT 1)"
        " RETURNING id, user_id, attempts, name, payload";
    item->id = 0;
    if (!any_queued(handle, &any, error) || !any)
        return !any;
    sd_copy(item->worker, sizeof item->worker, worker);
    sd_copy(item->boot, sizeof item->boot, boot);
    if (!sd_sql_begin(&sql, handle, claim, error))
        return false;
    sd_sql_text(&sql, 1, item->worker);
    sd_sql_text(&sql, 2, item->boot);
    sd_sql_number(&sql, 3, sd_wall_ms());
    while (sd_sql_row(&sql)) /* to the end, or it is not committed */
        read_item(&sql, item);
    return sd_sql_end(&sql, error);
}

static bool lost(const struct sd_queue_item *item, struct sd_error *error) {
    return sd_fail(error, 409, "claim_lost", "durable task %lld is not %s's any more", (long long)item->id,
                   item->worker);
}

/* `text` ends with the claim as its last three parameters, after `first` of its own. */
#define OF_CLAIM " WHERE state = 'claimed' AND id = ? AND worker = ? AND boot = ?"
static void bind_claim(struct sd_sql *sql, int first, const struct sd_queue_item *item) {
    sd_sql_number(sql, first + 1, item->id);
    sd_sql_text(sql, first + 2, item->worker);
    sd_sql_text(sql, first + 3, item->boot);
}

bool sd_queue_claimed_begin(sqlite3 *handle, const struct sd_queue_item *item, struct sd_error *error) {
    struct sd_sql sql;
    /* Before the transaction, which must not begin with a read: after one, another's commit
     * would keep it from writing. */
    if (!sd_sql_begin(&sql, handle, "SELECT 1 FROM queue" OF_CLAIM, error))
        return false;
    bind_claim(&sql, 0, item);
    bool ours = sd_sql_row(&sql);
    if (!sd_sql_end(&sql, error))
        return false;
    return ours ? sd_sql_run(handle, "BEGIN", error) : lost(item, error);
}

/* One row, or the claim is lost. */
static bool changed(sqlite3 *handle, struct sd_sql *sql, const struct sd_queue_item *item,
                    struct sd_error *error) {
    sd_sql_row(sql);
    if (!sd_sql_end(sql, error))
        return false;
    return sqlite3_changes(handle) == 1 || lost(item, error);
}

bool sd_queue_complete(sqlite3 *handle, const struct sd_queue_item *item, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, "UPDATE queue SET state = 'done', done_ms = ?, error = NULL" OF_CLAIM,
                      error))
        return false;
    sd_sql_number(&sql, 1, sd_wall_ms());
    bind_claim(&sql, 1, item);
    if (changed(handle, &sql, item, error) && sd_sql_commit(handle, error))
        return true;
    sd_sql_roll_back(handle);
    return false;
}

bool sd_queue_put_back(sqlite3 *handle, const struct sd_queue_item *item, struct sd_error *error) {
    struct sd_sql sql;
    static const char update[] = "UPDATE queue SET state = 'queued', attempts = attempts - 1, worker = NULL,"
                                 " boot = NULL" OF_CLAIM;
    sd_sql_roll_back(handle);
    if (!sd_sql_begin(&sql, handle, update, error))
        return false;
    bind_claim(&sql, 0, item);
    return changed(handle, &sql, item, error);
}

bool sd_queue_claims(sqlite3 *handle, const char *boot, int64_t before_ms, struct sd_queue_claim *claims,
                     size_t room, size_t *found, struct sd_error *error) {
    struct sd_sql sql;
    static const char select[] = "SELECT id, worker FROM queue WHERE state = 'claimed' AND boot = ?"
                                 " AND claimed_ms < ? LIMIT ?";
    *found = 0;
    if (!sd_sql_begin(&sql, handle, select, error))
        return false;
    sd_sql_text(&sql, 1, boot);
    sd_sql_number(&sql, 2, before_ms);
    sd_sql_number(&sql, 3, (int64_t)room);
    while (*found < room && sd_sql_row(&sql)) {
        claims[*found].id = sd_sql_get_number(&sql, 0);
        sd_copy(claims[*found].worker, sizeof claims[*found].worker, sd_sql_get_text(&sql, 1));
        ++*found;
    }
    return sd_sql_end(&sql, error);
}

bool sd_queue_reclaim(sqlite3 *handle, const struct sd_queue_claim *claim, const char *boot,
                      struct sd_error *error) {
    struct sd_queue_item item = {.id = claim->id};
    sd_copy(item.worker, sizeof item.worker, claim->worker);
    sd_copy(item.boot, sizeof item.boot, boot);
    return sd_queue_put_back(handle, &item, error);
}

bool sd_queue_give_up(sqlite3 *handle, const struct sd_queue_item *item, const char *why, bool *retried,
                      struct sd_error *error) {
    struct sd_sql sql;
    static const char update[] = "UPDATE queue SET state = ?, error = ?, done_ms = ?" OF_CLAIM;
    *retried = item->attempts < SD_QUEUE_ATTEMPTS;
    sd_sql_roll_back(handle);
    if (!sd_sql_begin(&sql, handle, update, error))
        return false;
    sd_sql_text(&sql, 1, *retried ? "queued" : "failed");
    sd_sql_text(&sql, 2, why);
    if (!*retried) /* else NULL */
        sd_sql_number(&sql, 3, sd_wall_ms());
    bind_claim(&sql, 3, item);
    return changed(handle, &sql, item, error);
}

bool sd_queue_boots(sqlite3 *handle, char (*boots)[SD_BOOT_NAME], size_t room, size_t *found,
                    struct sd_error *error) {
    struct sd_sql sql;
    *found = 0;
    if (!sd_sql_begin(&sql, handle, "SELECT DISTINCT boot FROM queue WHERE state = 'claimed' LIMIT ?", error))
        return false;
    sd_sql_number(&sql, 1, (int64_t)room);
    while (*found < room && sd_sql_row(&sql))
        sd_copy(boots[(*found)++], SD_BOOT_NAME, sd_sql_get_text(&sql, 0));
    return sd_sql_end(&sql, error);
}

bool sd_queue_recover(sqlite3 *handle, const char *boot, int64_t *recovered, struct sd_error *error) {
    struct sd_sql sql;
    static const char update[] = "UPDATE queue SET state = 'queued', attempts = max(attempts - 1, 0),"
                                 " worker = NULL, boot = NULL WHERE state = 'claimed' AND boot = ?";
    if (!sd_sql_begin(&sql, handle, update, error))
        return false;
    sd_sql_text(&sql, 1, boot);
    sd_sql_row(&sql);
    if (!sd_sql_end(&sql, error))
        return false;
    *recovered = sqlite3_changes(handle);
    return true;
}

/* Of the oldest, so that it is a few, and quick, however many are there. */
#define SOME_OLD                                                                                             \
    "(SELECT id FROM (SELECT id, done_ms FROM queue WHERE state = 'done' ORDER BY id LIMIT 500)"             \
    " WHERE done_ms < ?)"

static bool delete_before(sqlite3 *handle, const char *text, int64_t before_ms, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, text, error))
        return false;
    sd_sql_number(&sql, 1, before_ms);
    sd_sql_row(&sql);
    return sd_sql_end(&sql, error);
}

bool sd_queue_purge(sqlite3 *handle, int64_t before_ms, int64_t *purged, struct sd_error *error) {
    *purged = 0;
    if (sd_sql_transaction(handle, error) &&
        delete_before(handle, "DELETE FROM effects WHERE queue_id IN " SOME_OLD, before_ms, error) &&
        delete_before(handle, "DELETE FROM queue WHERE id IN " SOME_OLD, before_ms, error)) {
        *purged = sqlite3_changes(handle);
        if (sd_sql_commit(handle, error))
            return true;
    }
    sd_sql_roll_back(handle);
    return false;
}

static void add_state(struct sd_queue_figures *figures, struct sd_sql *sql) {
    static const struct {
        const char *state;
        size_t offset;
    } states[] = {{"queued", offsetof(struct sd_queue_figures, queued)},
                  {"claimed", offsetof(struct sd_queue_figures, claimed)},
                  {"done", offsetof(struct sd_queue_figures, done)},
                  {"failed", offsetof(struct sd_queue_figures, failed)}};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i].state, sd_sql_get_text(sql, 0)) == 0)
            *(int64_t *)(void *)((char *)figures + states[i].offset) = sd_sql_get_number(sql, 1);
}

static bool count_states(sqlite3 *handle, struct sd_queue_figures *figures, struct sd_error *error) {
    struct sd_sql sql;
    if (!sd_sql_begin(&sql, handle, "SELECT state, count(*) FROM queue GROUP BY state", error))
        return false;
    while (sd_sql_row(&sql))
        add_state(figures, &sql);
    return sd_sql_end(&sql, error);
}

bool sd_queue_figures(sqlite3 *handle, struct sd_queue_figures *figures, struct sd_error *error) {
    struct sd_sql sql;
    static const char oldest[] = "SELECT created_ms FROM queue WHERE state = 'queued' ORDER BY id LIMIT 1";
    *figures = (struct sd_queue_figures){0};
    if (!count_states(handle, figures, error) || !sd_sql_begin(&sql, handle, oldest, error))
        return false;
    if (sd_sql_row(&sql))
        figures->oldest_age_ms = sd_wall_ms() - sd_sql_get_number(&sql, 0);
    return sd_sql_end(&sql, error);
}
