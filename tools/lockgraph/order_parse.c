#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "order_file.h"

/* A word of the line: bare, or in quotation marks. */
struct word {
    const char *at, *end; /* without the marks */
    bool quoted;
};

struct line {
    struct order_source *source;
    unsigned number;
    const char *start, *at, *end;
};

void order_mistake(struct order_source *source, const struct order_place *place, const char *format, ...) {
    if (++source->wrong > ORDER_MISTAKES)
        return;
    va_list arguments;
    va_start(arguments, format);
    text_printf(source->errors, "%s:%u:%zu: ", place->file, place->line, place->column);
    text_vprintf(source->errors, format, arguments);
    text_add(source->errors, "\n");
    va_end(arguments);
}

static struct order_place place_of(const struct line *line, const char *at) {
    struct pool *pool = line->source->pool;
    size_t column = text_width(pool_string_n(pool, line->start, (size_t)(at - line->start))) + 1;
    return (struct order_place){line->source->file, line->number, column};
}

/* Always false, to be returned. */
__attribute__((format(printf, 3, 4))) static bool wrong(const struct line *line, const char *at,
                                                        const char *format, ...) {
    struct order_place place = place_of(line, at);
    va_list arguments;
    va_start(arguments, format);
    struct text text = {0};
    text_vprintf(&text, format, arguments);
    va_end(arguments);
    order_mistake(line->source, &place, "%s", text_string(&text));
    text_free(&text);
    return false;
}

/* ---- words ---- */

static bool is_blank(char character) { return character == ' ' || character == '\t'; }

static void skip_blanks(struct line *line) {
    while (line->at < line->end && is_blank(*line->at))
        line->at++;
    if (line->at < line->end && *line->at == '#')
        line->at = line->end;
}

static const char *shown(const struct line *line, const struct word *word) {
    return text_clean(line->source->pool,
                      pool_string_n(line->source->pool, word->at, (size_t)(word->end - word->at)));
}

/* Bytes as they are: what it is compared with is clean, too. */
static const char *pattern(const struct line *line, const struct word *word) {
    return pool_string_n(line->source->pool, word->at, (size_t)(word->end - word->at));
}

static bool word_is(const struct word *word, const char *text) {
    size_t length = strlen(text);
    return !word->quoted && (size_t)(word->end - word->at) == length && memcmp(word->at, text, length) == 0;
}

static bool read_quoted(struct line *line, struct word *word) {
    const char *mark = line->at++;
    const char *close = memchr(line->at, *mark, (size_t)(line->end - line->at));
    *word = (struct word){line->at, close, true};
    if (!close)
        return wrong(line, mark, "this quotation mark is not closed; put %c behind the text", *mark);
    line->at = close + 1;
    if (line->at < line->end && !is_blank(*line->at))
        return wrong(line, line->at, "put a blank behind the closing quotation mark");
    return close > word->at || wrong(line, mark, "the text is empty; write some, or leave it out");
}

/* False at the end of the line (at == end) or after a mistake. */
static bool read_word(struct line *line, struct word *word) {
    skip_blanks(line);
    if (line->at == line->end) {
        *word = (struct word){line->end, line->end, false};
        return false;
    }
    if (*line->at == '"' || *line->at == '\'')
        return read_quoted(line, word);
    word->at = line->at;
    word->quoted = false;
    while (line->at < line->end && !is_blank(*line->at))
        line->at++;
    word->end = line->at;
    return true;
}

static bool at_end(struct line *line) {
    skip_blanks(line);
    return line->at == line->end;
}

static bool nothing_more(struct line *line, const char *form) {
    return at_end(line) || wrong(line, line->at, "the line goes on where it should end; write %s", form);
}

/* A word that must be there. */
static bool need_word(struct line *line, struct word *word, const char *form) {
    if (at_end(line))
        return wrong(line, line->at, "something is missing here; write %s", form);
    return read_word(line, word);
}

static bool need_name(struct line *line, const char **name, const char *form) {
    struct word word;
    if (!need_word(line, &word, form))
        return false;
    *name = shown(line, &word);
    return true;
}

/* ---- growing lists ---- */

/* Room for one more at the end, zeroed; the room doubles. */
static void *add(struct pool *pool, void *list_address, size_t *count, size_t size) {
    char **list = list_address;
    if ((*count & (*count - 1)) == 0) {
        char *larger = pool_array(pool, *count ? 2 * *count : 1, size);
        if (*count)
            memcpy(larger, *list, *count * size);
        *list = larger;
    }
    return *list + (*count)++ * size;
}
#define ADD(line, list, count)                                                                               \
    add((line)->source->pool, &(line)->source->order->list, &(line)->source->order->count,                   \
        sizeof *(line)->source->order->list)

/* ---- statements ---- */

static bool add_class(struct line *line, const char *form, int level) {
    struct word word;
    if (!need_word(line, &word, form))
        return false;
    struct order_class class = {.name = shown(line, &word), .level = level, .place = place_of(line, word.at)};
    size_t known = order_class_named(line->source->order, class.name);
    if (known != SIZE_MAX)
        return wrong(line, word.at, "%s is declared already, at %s:%u; drop one of the lines", class.name,
                     line->source->order->classes[known].place.file,
                     line->source->order->classes[known].place.line);
    if (!at_end(line)) {
        if (!read_word(line, &word))
            return false;
        if (!word.quoted)
            return wrong(line, word.at, "put what it protects in quotation marks");
        class.what = shown(line, &word);
    }
    if (!nothing_more(line, form))
        return false;
    struct order_class *added = ADD(line, classes, class_count);
    *added = class;
    return true;
}

static bool read_number(const struct word *word, unsigned long most, unsigned long *number) {
    *number = 0;
    for (const char *at = word->at; at < word->end; at++) {
        if (*at < '0' || *at > '9' || *number > most)
            return false;
        *number = *number * 10 + (unsigned long)(*at - '0');
    }
    return word->end > word->at && *number > 0 && *number <= most;
}

static bool read_level(struct line *line) {
    static const char form[] = "level NUMBER NAME \"what it protects\"";
    struct word word;
    unsigned long level;
    if (!need_word(line, &word, form))
        return false;
    if (word.quoted || !read_number(&word, INT16_MAX, &level))
        return wrong(line, word.at, "\"%s\" is no level; use a whole number from 1 to %d", shown(line, &word),
                     INT16_MAX);
    return add_class(line, form, (int)level);
}

static bool read_class(struct line *line) {
    return add_class(line, "class NAME \"what it protects\"", NO_LEVEL);
}

/* "queue.c:12" or "queue.c" */
static bool read_source(struct line *line, const struct word *word, struct order_rule *rule) {
    const char *colon = memrchr(word->at, ':', (size_t)(word->end - word->at));
    struct word file = {word->at, colon ? colon : word->end, true};
    rule->source = pattern(line, &file);
    if (file.at == file.end)
        return wrong(line, word->at, "the file is missing before the colon; write at FILE:LINE");
    if (!colon)
        return true;
    struct word number = {colon + 1, word->end, true};
    unsigned long value;
    if (!read_number(&number, INT32_MAX, &value))
        return wrong(line, colon + 1, "\"%s\" is no line number; write at FILE:LINE", shown(line, &number));
    rule->source_line = (unsigned)value;
    return true;
}

static const char lock_form[] = "lock NAME variable V, init FUNCTION, use FUNCTION, at FILE:LINE or module M";

static bool read_condition(struct line *line, struct order_rule *rule) {
    struct word key, value;
    if (!read_word(line, &key))
        return false;
    bool variable = word_is(&key, "variable"), use = word_is(&key, "use"), at = word_is(&key, "at");
    bool call = use || word_is(&key, "init");
    const char **field = variable ? &rule->variable
                         : call   ? &rule->function
                         : at     ? &rule->source
                                  : &rule->module;
    if (!variable && !call && !at && !word_is(&key, "module"))
        return wrong(line, key.at, "\"%s\" tells no lock; write %s", shown(line, &key), lock_form);
    if (call && rule->function && rule->use != use)
        return wrong(line, key.at, "init and use are of two kinds of lock; write two lines");
    if (*field)
        return wrong(line, key.at, "%s is there twice; write two lines for two kinds of lock",
                     shown(line, &key));
    if (!need_word(line, &value, lock_form))
        return false;
    if (at)
        return read_source(line, &value, rule);
    rule->use |= use;
    *field = pattern(line, &value);
    return true;
}

static bool by_offset(const char *text) { return text && strncmp(text, "+0x", 3) == 0; }

static bool read_lock(struct line *line) {
    struct order_rule rule = {0};
    struct word word;
    if (!need_word(line, &word, lock_form))
        return false;
    rule.class_name = shown(line, &word);
    rule.place = place_of(line, word.at);
    if (at_end(line))
        return wrong(line, line->at, "which locks?  Write %s", lock_form);
    while (!at_end(line))
        if (!read_condition(line, &rule))
            return false;
    if ((by_offset(rule.variable) || by_offset(rule.function)) && !rule.module)
        return wrong(line, line->end, "an offset says nothing without its file; add module FILE");
    if (rule.variable && (rule.function || rule.source))
        return wrong(line, line->end,
                     "a variable is known by its name alone; write another line for locks that a call tells");
    struct order_rule *added = ADD(line, rules, rule_count);
    *added = rule;
    return true;
}

static bool read_same(struct line *line) {
    static const char form[] = "same NAME by address, by key, or in any order";
    struct order_same same = {0};
    struct word word, how;
    if (!need_word(line, &word, form))
        return false;
    same.name = shown(line, &word);
    same.place = place_of(line, word.at);
    if (!need_word(line, &how, form))
        return false;
    if (word_is(&how, "by") && need_word(line, &word, form)) {
        if (!word_is(&word, "address") && !word_is(&word, "key"))
            return wrong(line, word.at, "by what?  Write %s", form);
        same.nesting = word_is(&word, "key") ? LGR_NEST_BY_KEY : LGR_NEST_BY_ADDRESS;
    } else if (word_is(&how, "in") && read_word(line, &word) && word_is(&word, "any") &&
               read_word(line, &word) && word_is(&word, "order")) {
        same.nesting = LGR_NEST_ANYHOW;
    } else {
        return wrong(line, how.at, "how do locks of that class nest?  Write %s", form);
    }
    if (!nothing_more(line, form))
        return false;
    struct order_same *added = ADD(line, sames, same_count);
    *added = same;
    return true;
}

static bool read_two(struct line *line, struct order_pair *pair, const char *form) {
    skip_blanks(line);
    pair->place = place_of(line, line->at);
    return need_name(line, &pair->names[0], form) && need_name(line, &pair->names[1], form);
}

static bool read_before(struct line *line) {
    static const char form[] = "before FIRST SECOND";
    struct order_pair pair = {0};
    if (!read_two(line, &pair, form) || !nothing_more(line, form))
        return false;
    struct order_pair *added = ADD(line, befores, before_count);
    *added = pair;
    return true;
}

static bool read_bless(struct line *line) {
    static const char form[] = "bless ONE OTHER \"reason\"";
    struct order_pair pair = {0};
    struct word word;
    if (!read_two(line, &pair, form))
        return false;
    if (at_end(line))
        return wrong(line, line->at, "the reason is missing; write %s", form);
    if (!read_word(line, &word))
        return false;
    if (!word.quoted)
        return wrong(line, word.at, "put the reason in quotation marks");
    pair.reason = shown(line, &word);
    if (!nothing_more(line, form))
        return false;
    struct order_pair *added = ADD(line, blessings, bless_count);
    *added = pair;
    return true;
}

static bool read_include(struct line *line) {
    struct word word;
    if (!need_word(line, &word, "include FILE"))
        return false;
    struct order_place place = place_of(line, word.at);
    if (!nothing_more(line, "include FILE"))
        return false;
    if (line->source->include)
        line->source->include(line->source, pattern(line, &word), &place);
    return true;
}

static const struct {
    const char *word;
    bool (*read)(struct line *line);
} statements[] = {{"level", read_level},    {"class", read_class},   {"lock", read_lock},
                  {"same", read_same},      {"before", read_before}, {"bless", read_bless},
                  {"include", read_include}};

/* ---- the file ---- */

static bool is_text(struct line *line) {
    for (const char *at = line->at; at < line->end; at++)
        if ((unsigned char)*at < ' ' && *at != '\t')
            return wrong(line, at, "a byte %d, which is no text; is this the right file?", *at);
    return true;
}

static void read_line(struct line *line) {
    struct word word;
    if (line->at < line->end && line->end[-1] == '\r')
        line->end--;
    if (!is_text(line) || at_end(line) || !read_word(line, &word))
        return;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (word_is(&word, statements[i].word)) {
            statements[i].read(line);
            return;
        }
    wrong(line, word.at, "\"%s\" begins no line; use level, class, lock, same, before, bless or include",
          shown(line, &word));
}

void order_parse(struct order_source *source, const char *text, size_t length) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct line line = {.source = source};
    const char *end = text + length;
    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        text += 3;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        line = (struct line){source, line.number + 1, text, text, stop};
        read_line(&line);
        text = stop + (newline != NULL);
    }
}

size_t order_class_named(const struct order *order, const char *name) {
    for (size_t i = 0; i < order->class_count; i++)
        if (strcmp(order->classes[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}
