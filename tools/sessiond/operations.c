#include "operations.h"

#include <stddef.h>
#include <string.h>

#include "blob.h"
#include "text.h"

/* clang-format off */
static const struct sd_operation_kind_info infos[] = {
    [SD_OP_SCRAPE]    = {"scrape",    SD_TASK_GENERAL,   true,  true},
    [SD_OP_SEND]      = {"send",      SD_TASK_GENERAL,   true,  false},
    [SD_OP_MONITOR]   = {"monitor",   SD_TASK_GENERAL,   true,  false},
    [SD_OP_SEARCH]    = {"search",    SD_TASK_GENERAL,   false, false},
    [SD_OP_SCORE]     = {"score",     SD_TASK_GENERAL,   false, false},
    [SD_OP_ARCHIVE]   = {"archive",   SD_TASK_GENERAL,   false, false},
    [SD_OP_DIGEST]    = {"digest",    SD_TASK_DATABASE,  false, false},
    [SD_OP_BROADCAST] = {"broadcast", SD_TASK_BROADCAST, false, false},
    [SD_OP_ENQUEUE]   = {"enqueue",   SD_TASK_DATABASE,  false, false},
};

const struct sd_operation_kind_info sd_operation_connect = {"connect", SD_TASK_GENERAL, true, false};

#define KIND(kind) (1u << SD_OP_##kind)
#define NUMBER(field, kinds, least, most, standard) \
    {#field, offsetof(struct sd_operation, field), 0, kinds, least, most, standard}
#define WORDS(name, field, kinds, most) \
    {name, offsetof(struct sd_operation, field), sizeof(((struct sd_operation *)0)->field), kinds, 1, most, 0}

/* Each field once, with the operations that have it.  Words must be there; a number that
 * is not is what `standard` says. */
static const struct field {
    const char *name;
    size_t offset, room; /* room: of words */
    unsigned kinds;
    int64_t least, most, standard;
} fields[] = {
    NUMBER(from,    KIND(SCRAPE),  0, INT32_MAX,  0),
    NUMBER(pages,   KIND(SCRAPE),  1, 10000,      1),
    NUMBER(seconds, KIND(MONITOR), 1, 3600,       10),
    NUMBER(limit,   KIND(SEARCH),  1, 1000,       20),
    NUMBER(rounds,  KIND(DIGEST),  1, 1000000000, 1),
    WORDS("name",   name, KIND(ARCHIVE), 63),
    WORDS("text",   text, KIND(SEND) | KIND(SCORE) | KIND(BROADCAST) | KIND(ENQUEUE), 2000),
    WORDS("query",  text, KIND(SEARCH), 500),
};
/* clang-format on */
enum { FIELDS = sizeof fields / sizeof fields[0] };

const struct sd_operation_kind_info *sd_operation_info(enum sd_operation_kind kind) { return &infos[kind]; }

static bool find_kind(const char *name, enum sd_operation_kind *kind) {
    for (int at = 0; at < SD_OP_KINDS; at++)
        if (strcmp(infos[at].name, name) == 0) {
            *kind = (enum sd_operation_kind)at;
            return true;
        }
    return false;
}

static bool parse_number(const json_t *value, const char *name, int64_t least, int64_t most, int64_t *number,
                         struct sd_error *error) {
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return sd_fail_field(error, name, "%s must be a whole number from %lld to %lld", name,
                             (long long)least, (long long)most);
    *number = json_integer_value(value);
    return true;
}

/* One line, since it may go over the line protocol. */
static bool parse_words(const struct field *field, const json_t *value, char *words, struct sd_error *error) {
    if (!json_is_string(value))
        return sd_fail_field(error, field->name, "%s must be a string", field->name);
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (length < (size_t)field->least || length > (size_t)field->most)
        return sd_fail_field(error, field->name, "%s must have %lld to %lld bytes", field->name,
                             (long long)field->least, (long long)field->most);
    if (strpbrk(text, "\r\n") != NULL)
        return sd_fail_field(error, field->name, "%s must be one line", field->name);
    sd_copy(words, field->room, text);
    return true;
}

static bool parse_field(const struct field *field, const json_t *json, struct sd_operation *operation,
                        struct sd_error *error) {
    void *place = (char *)operation + field->offset;
    const json_t *value = json_object_get(json, field->name);
    if (value == NULL && field->room == 0) {
        memcpy(place, &field->standard, sizeof field->standard);
        return true;
    }
    if (value == NULL)
        return sd_fail_field(error, field->name, "%s is missing", field->name);
    return field->room != 0 ? parse_words(field, value, place, error)
                            : parse_number(value, field->name, field->least, field->most, place, error);
}

static bool known(const char *key, enum sd_operation_kind kind) {
    for (size_t at = 0; at < FIELDS; at++)
        if ((fields[at].kinds & (1u << kind)) != 0 && strcmp(fields[at].name, key) == 0)
            return true;
    return strcmp(key, "operation") == 0 || strcmp(key, "limit_ms") == 0;
}

static bool check_keys(const json_t *json, enum sd_operation_kind kind, struct sd_error *error) {
    json_t *object = (json_t *)(uintptr_t)json; /* jansson's iterators want it so; nothing is changed */
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at))
        if (!known(json_object_iter_key(at), kind))
            return sd_fail_field(error, json_object_iter_key(at), "%s has no such field", infos[kind].name);
    return true;
}

static bool parse_limit(const json_t *json, struct sd_operation *operation, struct sd_error *error) {
    const json_t *value = json_object_get(json, "limit_ms");
    int64_t limit_ms = 0;
    if (value != NULL && !parse_number(value, "limit_ms", 1, 3600000, &limit_ms, error))
        return false;
    operation->limit_ms = (int32_t)limit_ms;
    return true;
}

bool sd_operation_parse(const json_t *json, struct sd_operation *operation, struct sd_error *error) {
    const char *name = json_string_value(json_object_get(json, "operation"));
    memset(operation, 0, sizeof *operation);
    if (name == NULL)
        return sd_fail_field(error, "operation", "operation must be a string");
    if (!find_kind(name, &operation->kind))
        return sd_fail_field(error, "operation", "there is no operation %.40s", name);
    if (!check_keys(json, operation->kind, error) || !parse_limit(json, operation, error))
        return false;
    for (size_t at = 0; at < FIELDS; at++)
        if ((fields[at].kinds & (1u << operation->kind)) != 0 &&
            !parse_field(&fields[at], json, operation, error))
            return false;
    return operation->kind != SD_OP_ARCHIVE || sd_blob_name_check(operation->name, error);
}
