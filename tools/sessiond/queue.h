/* The durable queue: rows of a table, so what was committed outlives a crash.  All calls
 * are on the caller's handle; no locks.  A task's effect and its completion are one
 * transaction: the handler works inside the one that sd_queue_claimed_begin began, and
 * sd_queue_complete ends it; that one is deferred, so a handler that only computes keeps
 * nobody else from writing.  A claim names its worker and its process (boot.h); what a dead
 * one had claimed is queued again by sd_queue_recover, and its attempt does not count.
 *
 * Whoever lost a claim, since it was replaced or taken for dead, cannot complete: its
 * effect is rolled back with its transaction. */
#ifndef SD_QUEUE_H
#define SD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "boot.h"
#include "error.h"

enum { SD_QUEUE_ATTEMPTS = 2, SD_QUEUE_PAYLOAD = 4096 };

struct sd_queue_item {
    int64_t id, user;
    int32_t attempts; /* with this one */
    char name[32];
    char worker[32], boot[SD_BOOT_NAME]; /* whose claim it is */
    char payload[SD_QUEUE_PAYLOAD];
};
struct sd_queue_claim {
    int64_t id;
    char worker[32];
};
struct sd_queue_figures {
    int64_t queued, claimed, done, failed, oldest_age_ms;
};

/* May stand in a transaction of the caller's. */
bool sd_queue_put(sqlite3 *handle, const char *name, const char *payload, int64_t user, int64_t *id,
                  struct sd_error *error);
/* true with id 0: there is nothing. */
bool sd_queue_claim(sqlite3 *handle, const char *worker, const char *boot, struct sd_queue_item *item,
                    struct sd_error *error);
/* false, 409 claim_lost: it is not this claim any more. */
bool sd_queue_claimed_begin(sqlite3 *handle, const struct sd_queue_item *item, struct sd_error *error);
bool sd_queue_complete(sqlite3 *handle, const struct sd_queue_item *item, struct sd_error *error);
/* Both roll back the effect, and are 409 claim_lost like the others. */
/* Queued again, and this attempt does not count: shutdown, or the database was busy. */
bool sd_queue_put_back(sqlite3 *handle, const struct sd_queue_item *item, struct sd_error *error);
/* Queued again the first time, failed the second.  `retried` tells. */
bool sd_queue_give_up(sqlite3 *handle, const struct sd_queue_item *item, const char *why, bool *retried,
                      struct sd_error *error);
/* Claims of that boot which are older than that: `found` of them, at most `room`; of each
 * the id and whose it is. */
bool sd_queue_claims(sqlite3 *handle, const char *boot, int64_t before_ms, struct sd_queue_claim *claims,
                     size_t room, size_t *found, struct sd_error *error);
/* Like sd_queue_put_back, of a claim whose worker knows nothing of it any more. */
bool sd_queue_reclaim(sqlite3 *handle, const struct sd_queue_claim *claim, const char *boot,
                      struct sd_error *error);
/* Whose claims there are: the names of `found` boots, at most `room`. */
bool sd_queue_boots(sqlite3 *handle, char (*boots)[SD_BOOT_NAME], size_t room, size_t *found,
                    struct sd_error *error);
/* All claims of that boot, whose process is gone. */
bool sd_queue_recover(sqlite3 *handle, const char *boot, int64_t *recovered, struct sd_error *error);
/* Some of those that were done before that, with their effects; 0: there are none. */
bool sd_queue_purge(sqlite3 *handle, int64_t before_ms, int64_t *purged, struct sd_error *error);
bool sd_queue_figures(sqlite3 *handle, struct sd_queue_figures *figures, struct sd_error *error);

#endif
