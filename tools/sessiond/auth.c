#include "auth.h"

#include <stdlib.h>
#include <strings.h>

#include "schema.h"
#include "text.h"

struct sd_auth {
    const struct sd_config *config;
    int64_t users[]; /* ids, as the configuration has them */
};

static bool read_ids(struct sd_auth *auth, sqlite3 *handle, struct sd_error *error) {
    for (size_t i = 0; i < auth->config->user_count; i++) {
        struct sd_error wrong = {0};
        auth->users[i] = sd_schema_user_id(handle, auth->config->users[i].name, &wrong);
        if (auth->users[i] == 0)
            return sd_fail(error, 500, "no_user", "user %s is not in the database: %s",
                           auth->config->users[i].name, wrong.text);
    }
    return true;
}

struct sd_auth *sd_auth_create(const struct sd_config *config, struct sd_pool *pool, struct sd_error *error) {
    struct sd_auth *auth = calloc(1, sizeof *auth + config->user_count * sizeof auth->users[0]);
    if (auth == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the users");
        return NULL;
    }
    auth->config = config;
    sqlite3 *handle = sd_pool_take(pool, "auth", NULL, error);
    bool well = handle != NULL && read_ids(auth, handle, error);
    if (handle != NULL)
        sd_pool_give(pool, handle);
    if (well)
        return auth;
    free(auth);
    return NULL;
}

void sd_auth_destroy(struct sd_auth *auth) { free(auth); }

/* NULL: there is none in the header. */
static const char *token_of(const char *header) {
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    return header + 7;
}

static bool unauthorized(struct sd_error *error, const char *whose) {
    sd_fail(error, 401, "unauthorized", "give %s token: Authorization: Bearer TOKEN", whose);
    if (error != NULL)
        sd_copy(error->field, sizeof error->field, "Authorization");
    return false;
}

/* All are compared, whichever fits. */
bool sd_auth_user(const struct sd_auth *auth, const char *header, int64_t *user, struct sd_error *error) {
    const char *token = token_of(header);
    int64_t found = 0;
    for (size_t i = 0; token != NULL && i < auth->config->user_count; i++)
        if (sd_equal_in_constant_time(token, auth->config->users[i].token))
            found = auth->users[i];
    if (found == 0)
        return unauthorized(error, "a user's");
    *user = found;
    return true;
}

bool sd_auth_admin(const struct sd_auth *auth, const char *header, struct sd_error *error) {
    const char *token = token_of(header);
    if (token != NULL && auth->config->admin_token[0] != 0 &&
        sd_equal_in_constant_time(token, auth->config->admin_token))
        return true;
    return unauthorized(error, "the administrator's");
}
