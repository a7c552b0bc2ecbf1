#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_keys.h"
#include "text.h"

enum { CONFIG_LINE = 1024, LEAST_TOKEN = 16, TOLD = 48 };

/* Where a value was written, for people: "sessiond.conf:7" or "--port". */
struct origin {
    const char *place;
    FILE *told;
};

__attribute__((format(printf, 2, 3))) static bool wrong(const struct origin *origin, const char *text, ...) {
    va_list arguments;
    fprintf(origin->told, "sessiond: %s: ", origin->place);
    va_start(arguments, text);
    vfprintf(origin->told, text, arguments);
    va_end(arguments);
    fputc('\n', origin->told);
    return false;
}

static const struct sd_key *find_key(const char *name) {
    for (size_t i = 0; i < sd_key_count; i++) {
        const char *a = sd_keys[i].name, *b = name;
        while (*a != 0 && (*a == *b || (*a == '_' && *b == '-')))
            a++, b++;
        if (*a == *b)
            return &sd_keys[i];
    }
    return NULL;
}

/* What is not understood may have a token in it: of that only what looks like a key's name
 * is told, the letters that it begins with. */
static const char *told_of(const char *text, char word[TOLD]) {
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    bool alone = text[length] == 0 || isspace((unsigned char)text[length]) || text[length] == ':';
    snprintf(word, TOLD, "%.*s", alone && length < TOLD ? (int)length : 0, text);
    return word[0] == 0 ? "this line" : word;
}

static bool set_number(void *field, const struct sd_key *key, const char *value,
                       const struct origin *origin) {
    int64_t number;
    if (!sd_parse_number(value, key->least, key->most, &number))
        return wrong(origin, "%s = \"%s\": give a whole number from %lld to %lld", key->name, value,
                     (long long)key->least, (long long)key->most);
    *(int32_t *)field = (int32_t)number;
    return true;
}

static bool set_switch(void *field, const struct sd_key *key, const char *value,
                       const struct origin *origin) {
    bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0)
        return wrong(origin, "%s = \"%s\": give on or off", key->name, value);
    *(bool *)field = on;
    return true;
}

static bool set_word(char *field, const struct sd_key *key, const char *value, const struct origin *origin) {
    size_t length = strlen(value);
    if (length < (size_t)key->least || length > (size_t)key->most)
        return wrong(origin, "%s has %zu characters: give %lld to %lld", key->name, length,
                     (long long)key->least, (long long)key->most);
    if (key->type == SD_KEY_URL && length > 0 && strncmp(value, "http://", 7) != 0)
        return wrong(origin, "%s = \"%s\": give http://host[:port][/path]", key->name, value);
    sd_copy(field, key->room, value);
    return true;
}

static bool name_known(const struct sd_config *config, const char *name, size_t length) {
    for (size_t i = 0; i < config->user_count; i++)
        if (strncmp(config->users[i].name, name, length) == 0 && config->users[i].name[length] == 0)
            return true;
    return false;
}

/* NAME:TOKEN; what is wrong is told without the token. */
static bool add_user(struct sd_config *config, const char *value, const struct origin *origin) {
    const char *colon = strchr(value, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - value);
    if (length == 0 || length >= SD_WORD)
        return wrong(origin, "user: give NAME:TOKEN, a name of 1 to %d characters", SD_WORD - 1);
    if (strlen(colon + 1) < LEAST_TOKEN || strlen(colon + 1) >= SD_TOKEN)
        return wrong(origin, "user %.*s: give a token of %d to %d characters", (int)length, value,
                     LEAST_TOKEN, SD_TOKEN - 1);
    if (name_known(config, value, length))
        return wrong(origin, "user %.*s is there twice: leave one out", (int)length, value);
    if (config->user_count == SD_MOST_USERS)
        return wrong(origin, "more than %d users", SD_MOST_USERS);
    struct sd_user_token *users = realloc(config->users, (config->user_count + 1) * sizeof *users);
    if (users == NULL)
        return wrong(origin, "no memory");
    config->users = users;
    sd_copy(users[config->user_count].name, length + 1, value);
    sd_copy(users[config->user_count].token, SD_TOKEN, colon + 1);
    config->user_count++;
    return true;
}

static bool set(struct sd_config *config, const struct sd_key *key, const char *value,
                const struct origin *origin) {
    void *field = (char *)config + key->offset;
    switch (key->type) {
    case SD_KEY_NUMBER:
        return set_number(field, key, value, origin);
    case SD_KEY_SWITCH:
        return set_switch(field, key, value, origin);
    case SD_KEY_USER:
        return add_user(config, value, origin);
    default:
        return set_word(field, key, value, origin);
    }
}

static void set_standards(struct sd_config *config) {
    const struct origin origin = {"default", stderr};
    for (size_t i = 0; i < sd_key_count; i++)
        if (sd_keys[i].type != SD_KEY_USER)
            set(config, &sd_keys[i], sd_keys[i].standard, &origin);
}

static char *trim(char *text) {
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = 0;
    return text;
}

static bool read_line(struct sd_config *config, char *line, const struct origin *origin) {
    char *name = trim(line), *equals = strchr(name, '='), word[TOLD];
    if (name[0] == 0 || name[0] == '#')
        return true;
    if (equals == NULL)
        return wrong(origin, "%s: write key = value", told_of(name, word));
    *equals = 0;
    name = trim(name);
    const struct sd_key *key = find_key(name);
    if (key == NULL)
        return wrong(origin, "%s: there is no such key; --help lists them", told_of(name, word));
    return set(config, key, trim(equals + 1), origin);
}

static bool read_file(struct sd_config *config, FILE *told) {
    struct origin origin = {config->config_file, told};
    char line[CONFIG_LINE], place[SD_PATH + 16];
    bool well = true;
    FILE *file = fopen(config->config_file, "re");
    if (file == NULL)
        return wrong(&origin, "%s; give --config a file that can be read", strerror(errno));
    origin.place = place;
    for (int number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        snprintf(place, sizeof place, "%s:%d", config->config_file, number);
        well = read_line(config, line, &origin) && well;
    }
    fclose(file);
    return well;
}

static const struct {
    const char *flag;
    enum sd_mode mode;
} modes[] = {{"--peer", SD_MODE_PEER},
             {"--model", SD_MODE_MODEL},
             {"--supervise", SD_MODE_SUPERVISE},
             {"--help", SD_MODE_HELP}};

static bool set_mode(struct sd_config *config, const char *flag) {
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(modes[i].flag, flag) == 0) {
            config->mode = modes[i].mode;
            return true;
        }
    return false;
}

static bool set_flag(struct sd_config *config, const char *flag, const char *value,
                     const struct origin *origin) {
    if (strncmp(flag, "--", 2) != 0)
        return wrong(origin, "flags begin with --; --help lists them");
    bool config_file = strcmp(flag, "--config") == 0, inject = strcmp(flag, "--inject") == 0;
    const struct sd_key *key = find_key(flag + 2);
    if (key == NULL && strchr(flag, '=') != NULL)
        return wrong(origin, "write the value after a space, without =");
    if (key == NULL && !config_file && !inject)
        return wrong(origin, "there is no such flag; --help lists them");
    if (value == NULL)
        return wrong(origin, "give a value after it");
    if (inject)
        sd_copy(config->inject, sizeof config->inject, value);
    return key == NULL || set(config, key, value, origin);
}

/* Of a flag: itself, if it is one. */
static const char *place_of(const char *flag, int number, char word[TOLD]) {
    if (strncmp(flag, "--", 2) != 0 || strcspn(flag, "= ") >= TOLD)
        snprintf(word, TOLD, "argument %d", number);
    else
        snprintf(word, TOLD, "%.*s", (int)strcspn(flag, "= "), flag);
    return word;
}

/* Where `only_file`, looks for --config alone: flags win over the file. */
static bool read_flags(struct sd_config *config, int count, char *const *arguments, FILE *told,
                       bool only_file) {
    bool well = true;
    for (int i = 1; i < count; i++) {
        char word[TOLD];
        const struct origin origin = {place_of(arguments[i], i, word), told};
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (set_mode(config, arguments[i]))
            continue;
        if (!only_file)
            well = set_flag(config, arguments[i], value, &origin) && well;
        else if (value != NULL && strcmp(arguments[i], "--config") == 0)
            sd_copy(config->config_file, sizeof config->config_file, value);
        i++;
    }
    return well;
}

static bool level_known(const char *level) {
    return strcmp(level, "error") == 0 || strcmp(level, "warning") == 0 || strcmp(level, "info") == 0 ||
           strcmp(level, "debug") == 0;
}

static bool tokens_differ(const struct sd_config *config, FILE *told) {
    const struct origin origin = {"user", told};
    for (size_t i = 0; i < config->user_count; i++) {
        const struct sd_user_token *user = &config->users[i];
        if (strcmp(user->token, config->admin_token) == 0)
            return wrong(&origin, "%s has the administrator's token: give each a token of its own",
                         user->name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(user->token, config->users[j].token) == 0)
                return wrong(&origin, "%s and %s have the same token: give each its own",
                             config->users[j].name, user->name);
    }
    return true;
}

/* What only the whole can be asked. */
static bool check_whole(const struct sd_config *config, FILE *told) {
    size_t token = strlen(config->admin_token);
    if (!level_known(config->log_level))
        return wrong(&(struct origin){"log_level", told}, "\"%s\": give error, warning, info or debug",
                     config->log_level);
    if (token > 0 && token < LEAST_TOKEN)
        return wrong(&(struct origin){"admin_token", told}, "give at least %d characters, or none at all",
                     LEAST_TOKEN);
    if (config->adaptive_min_ms > config->adaptive_max_ms)
        return wrong(&(struct origin){"adaptive_min_ms", told}, "make it at most adaptive_max_ms (%d)",
                     config->adaptive_max_ms);
    if (config->reconnect_first_ms > config->reconnect_most_ms)
        return wrong(&(struct origin){"reconnect_first_ms", told}, "make it at most reconnect_most_ms (%d)",
                     config->reconnect_most_ms);
    return tokens_differ(config, told);
}

bool sd_config_load(struct sd_config *config, int count, char *const *arguments, FILE *told) {
    *config = (struct sd_config){0};
    set_standards(config);
    read_flags(config, count, arguments, told, true);
    bool well = config->config_file[0] == 0 || read_file(config, told);
    well = read_flags(config, count, arguments, told, false) && well;
    return well && check_whole(config, told);
}

void sd_config_free(struct sd_config *config) {
    free(config->users);
    config->users = NULL;
    config->user_count = 0;
}

void sd_config_help(FILE *out) {
    fputs("usage: sessiond [--config FILE] [--KEY VALUE]... [--inject NAME]\n"
          "       sessiond --peer | --model | --supervise\n\n"
          "Keys of the file (key = value), and flags, with what they are by default:\n",
          out);
    for (size_t i = 0; i < sd_key_count; i++)
        fprintf(out, "  %-26s %s%s%s%s\n", sd_keys[i].name, sd_keys[i].help,
                sd_keys[i].standard[0] == 0 ? "" : " (", sd_keys[i].standard,
                sd_keys[i].standard[0] == 0 ? "" : ")");
}
