/* Who asks: a token of the configuration, compared in constant time with all of them.
 * Read-only after its creation; no locks.  Tokens are never logged. */
#ifndef SD_AUTH_H
#define SD_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "error.h"
#include "pool.h"

struct sd_auth;
/* Reads the users' ids from the database, seeded before. */
struct sd_auth *sd_auth_create(const struct sd_config *config, struct sd_pool *pool, struct sd_error *error);
void sd_auth_destroy(struct sd_auth *auth);
/* `header`: the value of Authorization, "Bearer TOKEN"; NULL: none.  401 unauthorized. */
bool sd_auth_user(const struct sd_auth *auth, const char *header, int64_t *user, struct sd_error *error);
/* A user's token here is 401, too. */
bool sd_auth_admin(const struct sd_auth *auth, const char *header, struct sd_error *error);

#endif
