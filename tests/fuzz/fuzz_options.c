/* Feeds the parser of LOCKGRAPH_OPTIONS arbitrary text.  Whatever it makes of
 * it, every value must lie in its bounds, the sentence on a mistake must fit,
 * and what it writes out must read back as the same. */
#include <string.h>

#include "platform/options.h"
#include "replay.h"

static void must(bool holds) {
    if (!holds)
        abort();
}

static uint64_t value_of(const struct lgp_option *option, const struct lgp_options *options) {
    const char *field = (const char *)options + option->offset;
    uint64_t size;
    uint32_t number;
    bool on;
    if (option->type == LGP_OPTION_SIZE || option->type == LGP_OPTION_TIME)
        return memcpy(&size, field, sizeof size), size;
    if (option->type == LGP_OPTION_SWITCH)
        return memcpy(&on, field, sizeof on), on;
    return memcpy(&number, field, sizeof number), number;
}

static size_t choices_of(const struct lgp_option *option) {
    size_t count = 0;
    while (option->choices[count])
        count++;
    return count;
}

static void check_option(const struct lgp_option *option, const struct lgp_options *options) {
    const char *field = (const char *)options + option->offset;
    if (option->type == LGP_OPTION_TEXT)
        must(memchr(field, 0, PATH_MAX) && field[0]);
    else if (option->type == LGP_OPTION_CHOICE)
        must(value_of(option, options) < choices_of(option));
    else if (option->type == LGP_OPTION_SWITCH)
        must(*(const unsigned char *)field <= 1);
    else if (option->type != LGP_OPTION_TIME || value_of(option, options) != 0) /* no time is never */
        must(value_of(option, options) >= option->minimum && value_of(option, options) <= option->maximum);
}

static const char *text_of(const struct lgp_option *option, const struct lgp_options *options) {
    return option->type == LGP_OPTION_TEXT ? (const char *)options + option->offset : "";
}

/* A text with both quotation marks in it cannot be written. */
static bool can_be_written(const struct lgp_options *options) {
    for (size_t i = 0; i < lgp_option_count; i++) {
        const char *text = text_of(&lgp_option_table[i], options);
        if (strchr(text, '"') && strchr(text, '\''))
            return false;
    }
    return true;
}

static void check_written(const struct lgp_options *options) {
    static char text[LGP_OPTIONS_TEXT_SIZE];
    struct lgp_options again;
    struct lgp_text out = {text, sizeof text, 0};
    lgp_options_help(options, &out);
    must(strlen(text) < sizeof text);
    out = (struct lgp_text){text, sizeof text, 0};
    text[0] = 0; /* nothing is written where nothing differs */
    lgp_options_effective(options, &out);
    lgp_options_defaults(&again);
    if (!can_be_written(options))
        return;
    must(lgp_options_parse(&again, text, NULL));
    for (size_t i = 0; i < lgp_option_count; i++) {
        const struct lgp_option *option = &lgp_option_table[i];
        if (option->type != LGP_OPTION_TEXT)
            must(value_of(option, &again) == value_of(option, options));
        must(strcmp(text_of(option, &again), text_of(option, options)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lgp_options options;
    char sentence[256] = "";
    struct lgp_text error = {sentence, sizeof sentence, 0};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    lgp_options_defaults(&options);
    bool right = lgp_options_parse(&options, text, &error);
    must(memchr(sentence, 0, sizeof sentence) && right == !sentence[0]);
    for (size_t i = 0; i < lgp_option_count; i++)
        check_option(&lgp_option_table[i], &options);
    check_written(&options);
    free(text);
    return 0;
}
