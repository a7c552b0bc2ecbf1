#include "platform/options.h"
#include "lockgraph/options.h"

#include <stdlib.h>
#include <string.h>

/* --- one value --- */

static bool parse_text(const char *value, char *field) {
    size_t length = strlen(value);
    if (length == 0 || length >= PATH_MAX)
        return false;
    memcpy(field, value, length + 1);
    return true;
}

static unsigned suffix_shift(char suffix) {
    switch (suffix | 0x20) {
    case 'k':
        return 10;
    case 'm':
        return 20;
    case 'g':
        return 30;
    default:
        return 0;
    }
}

/* Decimal digits, then for sizes at most one suffix. */
static bool parse_whole(const char *value, bool with_suffix, uint64_t *result) {
    uint64_t sum = 0;
    const char *digit = value;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*digit - '0'), &sum))
            return false;
    if (digit == value)
        return false;
    unsigned shift = with_suffix ? suffix_shift(*digit) : 0;
    if (shift > 0)
        digit++;
    *result = sum << shift;
    return *digit == '\0' && *result >> shift == sum;
}

static bool parse_bounded(const struct lgp_option *option, const char *value, uint64_t *result) {
    return parse_whole(value, option->type == LGP_OPTION_SIZE, result) && *result >= option->minimum &&
           *result <= option->maximum;
}

static bool parse_size(const struct lgp_option *option, const char *value, void *field) {
    uint64_t size;
    if (!parse_bounded(option, value, &size))
        return false;
    memcpy(field, &size, sizeof(size));
    return true;
}

static uint64_t unit_of_time(const char *name) {
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"us", 1000},     {"ms", 1000000},    {"s", 1000000000},
                 {"", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(name, units[i].name) == 0)
            return units[i].ns;
    return 0;
}

/* Digits, then a unit. */
static bool parse_ns(const char *value, uint64_t *ns) {
    char digits[24];
    size_t length = strspn(value, "0123456789");
    uint64_t count, unit = unit_of_time(value + length);
    if (length >= sizeof digits || unit == 0)
        return false;
    memcpy(digits, value, length);
    digits[length] = '\0';
    return parse_whole(digits, false, &count) && !__builtin_mul_overflow(count, unit, ns);
}

static bool parse_time(const struct lgp_option *option, const char *value, void *field) {
    uint64_t ns = 0;
    if (strcmp(value, "none") != 0 && !parse_ns(value, &ns))
        return false;
    if (ns != 0 && (ns < option->minimum || ns > option->maximum))
        return false;
    memcpy(field, &ns, sizeof(ns));
    return true;
}

/* Signed or not, the field has the same representation up to INT_MAX. */
static bool parse_number(const struct lgp_option *option, const char *value, void *field) {
    uint64_t wide;
    if (!parse_bounded(option, value, &wide))
        return false;
    uint32_t number = (uint32_t)wide;
    memcpy(field, &number, sizeof(number));
    return true;
}

/* -1 when it is none of them. */
static int index_of(const char *const *words, const char *word) {
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

static bool parse_switch(const char *value, bool *field) {
    static const char *const words[] = {"0", "1", "no", "yes", "false", "true", NULL};
    int index = index_of(words, value);
    if (index < 0)
        return false;
    *field = index % 2 == 1;
    return true;
}

static bool parse_choice(const struct lgp_option *option, const char *value, void *field) {
    int index = index_of(option->choices, value);
    if (index < 0)
        return false;
    memcpy(field, &index, sizeof(index));
    return true;
}

_Static_assert(sizeof(enum lgp_unwinder) == sizeof(int) && sizeof(enum lgp_check_level) == sizeof(int) &&
                   sizeof(enum lgp_log_level) == sizeof(int),
               "choices are stored through an int");

static bool parse_value(const struct lgp_option *option, const char *value, struct lgp_options *options) {
    char *field = (char *)options + option->offset;
    switch (option->type) {
    case LGP_OPTION_TEXT:
        return parse_text(value, field);
    case LGP_OPTION_SIZE:
        return parse_size(option, value, field);
    case LGP_OPTION_NUMBER:
        return parse_number(option, value, field);
    case LGP_OPTION_TIME:
        return parse_time(option, value, field);
    case LGP_OPTION_SWITCH:
        return parse_switch(value, (bool *)field);
    case LGP_OPTION_CHOICE:
        return parse_choice(option, value, field);
    }
    return false;
}

/* --- the list --- */

struct mistakes {
    const char *source; /* where the text came from, for the sentence */
    struct lgp_text *error;
    unsigned count;
};

/* One "key=value", taken apart; both are cut where they are too long. */
struct setting {
    char key[64];
    char value[PATH_MAX + 1];
    bool has_value;
    bool unclosed; /* a quotation mark without its partner */
};

/* Returns where the copied part ends in `text`, even if it did not fit. */
static const char *copy_until(const char *text, const char *ends, char *to, size_t size) {
    size_t length = strcspn(text, ends);
    size_t kept = length < size ? length : size - 1;
    memcpy(to, text, kept);
    to[kept] = '\0';
    return text + length;
}

static const char *read_quoted(const char *text, struct setting *setting) {
    const char mark[] = {*text, '\0'};
    const char *end = copy_until(text + 1, mark, setting->value, sizeof(setting->value));
    setting->unclosed = *end == '\0' || (end[1] != ':' && end[1] != '\0');
    return *end == '\0' ? end : end + 1;
}

static const char *read_setting(const char *text, struct setting *setting) {
    text = copy_until(text, "=:", setting->key, sizeof(setting->key));
    setting->has_value = *text == '=';
    setting->unclosed = false;
    setting->value[0] = '\0';
    if (!setting->has_value)
        return text;
    text++;
    if (*text == '"' || *text == '\'')
        text = read_quoted(text, setting);
    else
        text = copy_until(text, ":", setting->value, sizeof(setting->value));
    return text + strcspn(text, ":");
}

const struct lgp_option *lgp_option_find(const char *name) {
    for (size_t i = 0; i < lgp_option_count; i++)
        if (strcmp(lgp_option_table[i].name, name) == 0)
            return &lgp_option_table[i];
    return NULL;
}

static bool only_the_first(struct mistakes *mistakes) {
    return ++mistakes->count == 1 && mistakes->error != NULL;
}

static void refuse_value(const struct lgp_option *option, const struct setting *setting,
                         struct mistakes *mistakes) {
    if (!only_the_first(mistakes))
        return;
    lgp_format(mistakes->error, "%s=\"%s\" in %s is not allowed: use ", setting->key, setting->value,
               mistakes->source);
    lgp_option_allowed(option, mistakes->error);
}

static void refuse(struct mistakes *mistakes, const char *complaint, const char *key) {
    if (!only_the_first(mistakes))
        return;
    lgp_format(mistakes->error, "%s \"%s\" in %s", complaint, key, mistakes->source);
}

static void apply(const struct setting *setting, struct lgp_options *options, struct mistakes *mistakes) {
    const struct lgp_option *option = lgp_option_find(setting->key);
    if (option == NULL && only_the_first(mistakes))
        lgp_format(mistakes->error, "unknown option \"%s\" in %s; help=1 lists them", setting->key,
                   mistakes->source);
    if (option == NULL)
        return;
    if (setting->unclosed)
        refuse(mistakes, "no closing quotation mark behind the value of option", setting->key);
    else if (!setting->has_value)
        refuse(mistakes, "no value for option", setting->key);
    else if (!parse_value(option, setting->value, options))
        refuse_value(option, setting, mistakes);
}

static bool parse(struct lgp_options *options, const char *text, struct mistakes *mistakes) {
    struct setting setting;
    while (*text != '\0') {
        if (*text == ':') {
            text++;
            continue;
        }
        text = read_setting(text, &setting);
        apply(&setting, options, mistakes);
    }
    if (mistakes->count > 1 && mistakes->error != NULL)
        lgp_format(mistakes->error, " (and %u more)", mistakes->count - 1);
    return mistakes->count == 0;
}

bool lgp_options_parse(struct lgp_options *options, const char *text, struct lgp_text *error) {
    struct mistakes mistakes = {LGP_OPTIONS_VARIABLE, error, 0};
    return parse(options, text, &mistakes);
}

void lgp_options_defaults(struct lgp_options *options) {
    memset(options, 0, sizeof(*options));
    for (size_t i = 0; i < lgp_option_count; i++)
        parse_value(&lgp_option_table[i], lgp_option_table[i].default_value, options);
}

bool lgp_options_load(struct lgp_options *options, struct lgp_text *error) {
    struct mistakes mistakes = {"lg_default_options()", error, 0};
    lgp_options_defaults(options);
    const char *program = lg_default_options != NULL ? lg_default_options() : NULL;
    bool right = program == NULL || parse(options, program, &mistakes);
    const char *environment = secure_getenv(LGP_OPTIONS_VARIABLE);
    if (environment == NULL)
        return right;
    /* One sentence is enough: the program's mistake comes first. */
    return lgp_options_parse(options, environment, right ? error : NULL) && right;
}
