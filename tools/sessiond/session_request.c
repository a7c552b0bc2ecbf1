/* The request for a session, as validated from JSON.  No locks. */
#include <string.h>

#include "manager.h"

static bool parse_word(const json_t *value, const char *field, char word[SD_WORD], struct sd_error *error) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:";
    const char *text = json_string_value(value);
    if (text == NULL)
        return sd_fail_field(error, field, "%s must be a string", field);
    size_t length = strlen(text);
    if (length < 1 || length >= SD_WORD || strspn(text, letters) != length)
        return sd_fail_field(error, field, "%s must be 1 to %d of A-Z a-z 0-9 . _ : -", field, SD_WORD - 1);
    sd_copy(word, SD_WORD, text);
    return true;
}

static bool parse_port(const json_t *value, int32_t *port, struct sd_error *error) {
    if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > 65535)
        return sd_fail_field(error, "port", "port must be a whole number from 1 to 65535");
    *port = (int32_t)json_integer_value(value);
    return true;
}

static bool parse_one(const char *key, const json_t *value, struct sd_session_request *request,
                      struct sd_error *error) {
    if (strcmp(key, "name") == 0)
        return parse_word(value, "name", request->name, error);
    if (strcmp(key, "host") == 0)
        return parse_word(value, "host", request->host, error);
    if (strcmp(key, "port") == 0)
        return parse_port(value, &request->port, error);
    return sd_fail_field(error, key, "a session has no such field");
}

bool sd_session_request_parse(const struct sd_config *config, const json_t *json,
                              struct sd_session_request *request, struct sd_error *error) {
    json_t *object = (json_t *)(uintptr_t)json; /* jansson's iterators want it so; nothing is changed */
    memset(request, 0, sizeof *request);
    sd_copy(request->host, sizeof request->host, config->peer_host);
    request->port = config->peer_port;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at))
        if (!parse_one(json_object_iter_key(at), json_object_iter_value(at), request, error))
            return false;
    return request->name[0] != 0 || sd_fail_field(error, "name", "name is missing");
}
