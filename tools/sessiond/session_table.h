/* The manager's table: sessions by id, ids ascending.  Takes manager.sessions (80) for a
 * few instructions; what it gives has a reference of the caller's. */
#ifndef SD_SESSION_TABLE_H
#define SD_SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "error.h"
#include "session.h"

struct sd_session_table;

/* Ids begin after `last`. */
struct sd_session_table *sd_session_table_create(const struct sd_config *config, uint64_t last,
                                                 struct sd_error *error);
void sd_session_table_destroy(struct sd_session_table *table);
uint64_t sd_session_table_next_id(struct sd_session_table *table);
/* Takes a reference of its own: 503 too_many_sessions, of all or of that user. */
bool sd_session_table_add(struct sd_session_table *table, struct sd_session *session, struct sd_error *error);
/* Takes it out and gives up its reference; false: it was not there. */
bool sd_session_table_remove(struct sd_session_table *table, struct sd_session *session);
/* A user's own: 404 for others'. */
struct sd_session *sd_session_table_find(struct sd_session_table *table, int64_t user, uint64_t id,
                                         struct sd_error *error);
/* Those with greater ids than `after`, of a user (SD_USER_NONE: of all): at most `room`. */
size_t sd_session_table_list(struct sd_session_table *table, int64_t user, uint64_t after,
                             struct sd_session **sessions, size_t room);
size_t sd_session_table_count(struct sd_session_table *table);

#endif
