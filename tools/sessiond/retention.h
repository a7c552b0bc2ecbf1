/* What is deleted from the database because it is old, or because its user has more of it
 * than is kept: some rows a call and a transaction, so that others may write in between.
 * On the caller's handle; no locks. */
#ifndef SD_RETENTION_H
#define SD_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "config.h"
#include "error.h"

/* Messages beyond kept_message_s and, of each user, beyond the newest kept_messages.
 * `purged`: how many; 0: there are no more. */
bool sd_retention_messages(sqlite3 *handle, const struct sd_config *config, int64_t *purged,
                           struct sd_error *error);
/* Before an archive of that name is made: 409 too_many_archives where the user has archives_per_user
 * others. */
bool sd_retention_may_archive(sqlite3 *handle, const struct sd_config *config, int64_t user, const char *name,
                              struct sd_error *error);

#endif
