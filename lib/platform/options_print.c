#include <string.h>

#include "platform/options.h"

static const void *field_of(const struct lgp_option *option, const struct lgp_options *options) {
    return (const char *)options + option->offset;
}

static void print_size(uint64_t size, struct lgp_text *text) {
    unsigned shift = 0;
    while (size != 0 && shift < 30 && size % 1024 == 0) {
        size /= 1024;
        shift += 10;
    }
    lgp_format(text, "%lu", (unsigned long)size);
    if (shift > 0)
        lgp_format(text, "%c", " kmg"[shift / 10]);
}

/* In the largest unit that says it exactly. */
static void print_time(uint64_t ns, struct lgp_text *text) {
    enum { MINUTE = 60, HOUR = 3600 };
    uint64_t ms = ns / 1000000, seconds = ms / 1000;
    if (ns == 0)
        lgp_format(text, "none");
    else if (ns % 1000000 != 0)
        lgp_format(text, "%luus", (unsigned long)(ns / 1000));
    else if (ms % 1000 != 0)
        lgp_format(text, "%lums", (unsigned long)ms);
    else if (seconds % HOUR == 0)
        lgp_format(text, "%luh", (unsigned long)(seconds / HOUR));
    else if (seconds % MINUTE == 0)
        lgp_format(text, "%lum", (unsigned long)(seconds / MINUTE));
    else
        lgp_format(text, "%lus", (unsigned long)seconds);
}

static uint32_t number_at(const void *field) {
    uint32_t number;
    memcpy(&number, field, sizeof(number));
    return number;
}

void lgp_option_value(const struct lgp_option *option, const struct lgp_options *options,
                      struct lgp_text *text) {
    const void *field = field_of(option, options);
    switch (option->type) {
    case LGP_OPTION_TEXT:
        lgp_format(text, "%s", (const char *)field);
        break;
    case LGP_OPTION_SIZE:
        print_size(*(const uint64_t *)field, text);
        break;
    case LGP_OPTION_NUMBER:
        lgp_format(text, "%u", number_at(field));
        break;
    case LGP_OPTION_TIME:
        print_time(*(const uint64_t *)field, text);
        break;
    case LGP_OPTION_SWITCH:
        lgp_format(text, "%d", *(const bool *)field ? 1 : 0);
        break;
    case LGP_OPTION_CHOICE:
        lgp_format(text, "%s", option->choices[number_at(field)]);
        break;
    }
}

static void print_choices(const char *const *choices, struct lgp_text *text) {
    for (size_t i = 0; choices[i] != NULL; i++) {
        const char *separator = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        lgp_format(text, "%s%s", separator, choices[i]);
    }
}

void lgp_option_allowed(const struct lgp_option *option, struct lgp_text *text) {
    switch (option->type) {
    case LGP_OPTION_TEXT:
        lgp_format(text, "1 to %d bytes of text", PATH_MAX - 1);
        break;
    case LGP_OPTION_SIZE:
        lgp_format(text, "a size from ");
        print_size(option->minimum, text);
        lgp_format(text, " to ");
        print_size(option->maximum, text);
        lgp_format(text, ", in bytes or with k, m or g");
        break;
    case LGP_OPTION_NUMBER:
        lgp_format(text, "a whole number from %lu to %lu", (unsigned long)option->minimum,
                   (unsigned long)option->maximum);
        break;
    case LGP_OPTION_TIME:
        lgp_format(text, "a time from ");
        print_time(option->minimum, text);
        lgp_format(text, " to ");
        print_time(option->maximum, text);
        lgp_format(text, ", in us, ms, s, m or h, or none");
        break;
    case LGP_OPTION_SWITCH:
        lgp_format(text, "0 or 1");
        break;
    case LGP_OPTION_CHOICE:
        print_choices(option->choices, text);
        break;
    }
}

static void print_setting(const struct lgp_option *option, const struct lgp_options *options,
                          struct lgp_text *text) {
    const char *value = option->type == LGP_OPTION_TEXT ? field_of(option, options) : "";
    bool quoted = strchr(value, ':') != NULL || value[0] == '"' || value[0] == '\'';
    const char *mark = !quoted ? "" : strchr(value, '"') == NULL ? "\"" : "'";
    lgp_format(text, "%s=%s", option->name, mark);
    lgp_option_value(option, options, text);
    lgp_format(text, "%s", mark);
}

void lgp_options_help(const struct lgp_options *options, struct lgp_text *text) {
    for (size_t i = 0; i < lgp_option_count; i++) {
        const struct lgp_option *option = &lgp_option_table[i];
        if (option->internal)
            continue;
        lgp_format(text, "  ");
        print_setting(option, options, text);
        lgp_format(text, "\n      %s\n      ", option->help);
        lgp_option_allowed(option, text);
        lgp_format(text, "; default %s\n", option->default_value);
    }
}

static bool same_value(const struct lgp_option *option, const struct lgp_options *a,
                       const struct lgp_options *b) {
    const void *left = field_of(option, a), *right = field_of(option, b);
    switch (option->type) {
    case LGP_OPTION_TEXT:
        return strcmp(left, right) == 0;
    case LGP_OPTION_SIZE:
    case LGP_OPTION_TIME:
        return memcmp(left, right, sizeof(uint64_t)) == 0;
    case LGP_OPTION_SWITCH:
        return memcmp(left, right, sizeof(bool)) == 0;
    default:
        return number_at(left) == number_at(right);
    }
}

void lgp_options_effective(const struct lgp_options *options, struct lgp_text *text) {
    struct lgp_options defaults;
    const char *separator = "";
    lgp_options_defaults(&defaults);
    for (size_t i = 0; i < lgp_option_count; i++) {
        if (same_value(&lgp_option_table[i], options, &defaults))
            continue;
        lgp_format(text, "%s", separator);
        print_setting(&lgp_option_table[i], options, text);
        separator = ":";
    }
}
