/* The database's tables: WAL, migrations in order (PRAGMA user_version), and what it is
 * seeded with.  Many processes may do this at once: each migration is one immediate
 * transaction that looks again inside, and seeds are INSERT OR IGNORE on a unique key.
 * No locks; start-up and jobs only.
 *
 *   users(id, name UNIQUE, created_ms)
 *   messages(id, user_id, session_id, peer_number, sender, text, stored_ms,
 *            UNIQUE(session_id, peer_number))           what scrapes and sends stored
 *   message_index                                       FTS5 over messages.text (content=messages)
 *   queue(id, name, payload, user_id, state, attempts, worker, boot, claimed_ms, created_ms,
 *         done_ms, error)                               state: queued, claimed, done, failed
 *   effects(id, queue_id UNIQUE, user_id, text, at_ms)   what a durable task did: once each
 *   heartbeats(name PRIMARY KEY, at_ms, detail)         of workers, latest only
 *   blobs(id, user_id, name, bytes, checksum, at_ms)    what `store` keeps
 *   session_blocks(last)                                one row: ids of sessions are taken in blocks
 *
 * A later table is a further migration in schema.c, never a change of an earlier one. */
#ifndef SD_SCHEMA_H
#define SD_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "config.h"
#include "error.h"

bool sd_schema_prepare(sqlite3 *handle, struct sd_error *error);
/* The default user and those of the configuration. */
bool sd_schema_seed(sqlite3 *handle, const struct sd_config *config, struct sd_error *error);
/* 0: there is none of that name, or an error. */
int64_t sd_schema_user_id(sqlite3 *handle, const char *name, struct sd_error *error);
/* Ten thousand million ids of sessions that no other process on this database has or ever
 * had: those after `last`. */
bool sd_schema_session_block(sqlite3 *handle, uint64_t *last, struct sd_error *error);

#endif
