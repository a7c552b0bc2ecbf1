#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "suppress.h"

#define ERRORS_TOLD 20

static const struct {
    const char *name;
    enum suppression_subject subject;
} subjects[] = {{"lock", SUPPRESS_LOCK}, {"class", SUPPRESS_CLASS},   {"function", SUPPRESS_FUNCTION},
                {"file", SUPPRESS_FILE}, {"module", SUPPRESS_MODULE}, {"id", SUPPRESS_ID}};
#define SUBJECTS "lock:, class:, function:, file:, module: or id:"

/* Suppression types of ThreadSanitizer that say nothing about lock order. */
static const char *const foreign_types[] = {"race",  "race_top", "thread",
                                            "mutex", "signal",   "called_from_lib"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct parser {
    struct pool *pool;
    struct suppressions *added;
    const char *file;
    unsigned line;
    const char *start;  /* of the line */
    const char *reason; /* of the comment above; NULL: none */
    struct text *errors;
    size_t wrong;
};

/* Part of a line that is still to be read. */
struct span {
    const char *at, *end;
};

static bool is_blank(char character) { return character == ' ' || character == '\t'; }

/* Always false, to be returned. */
__attribute__((format(printf, 3, 4))) static bool mistake(struct parser *parser, const char *at,
                                                          const char *format, ...) {
    if (++parser->wrong > ERRORS_TOLD)
        return false;
    size_t column = text_width(pool_string_n(parser->pool, parser->start, (size_t)(at - parser->start))) + 1;
    va_list arguments;
    va_start(arguments, format);
    text_printf(parser->errors, "%s:%u:%zu: ", parser->file, parser->line, column);
    text_vprintf(parser->errors, format, arguments);
    text_add(parser->errors, "\n");
    va_end(arguments);
    return false;
}

/* Fit to be shown, and to be read again: without blanks around it or tabs in it. */
static const char *clean(struct parser *parser, const char *from, const char *to) {
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    char *text = pool_string_n(parser->pool, from, (size_t)(to - from));
    for (char *tab = text; (tab = strchr(tab, '\t'));)
        *tab = ' ';
    return text_clean(parser->pool, text);
}

static void skip_blanks(struct span *span) {
    while (span->at < span->end && is_blank(*span->at))
        span->at++;
}

static struct span next_word(struct span *span) {
    struct span word = {span->at, span->at};
    while (word.end < span->end && !is_blank(*word.end))
        word.end++;
    span->at = word.end;
    return word;
}

static bool span_is(const struct span *span, const char *text) {
    size_t length = strlen(text);
    return (size_t)(span->end - span->at) == length && memcmp(span->at, text, length) == 0;
}

static const char *colon_in(const struct span *span) {
    return memchr(span->at, ':', (size_t)(span->end - span->at));
}

/* ---- the line ---- */

/* Behind the closing quotation mark where the pattern of the word has one. */
static const char *end_of_part(const struct span *word, const char *end) {
    const char *colon = colon_in(word), *mark = colon ? colon + 1 : end;
    if (mark >= word->end || (*mark != '"' && *mark != '\''))
        return word->end;
    const char *close = memchr(mark + 1, *mark, (size_t)(end - mark - 1));
    return close ? close + 1 : word->end;
}

/* The reason begins at the first word that begins with '#'.  The first word of
 * all, a kind or a line of ThreadSanitizer's, has no quotation marks. */
static const char *comment_in(const struct span *line) {
    struct span rest = *line;
    for (skip_blanks(&rest); rest.at < rest.end && *rest.at != '#'; skip_blanks(&rest)) {
        bool first = rest.at == line->at;
        struct span word = next_word(&rest);
        if (!first)
            rest.at = end_of_part(&word, rest.end);
    }
    return rest.at;
}

static void add_part(struct parser *parser, struct suppression *suppression, enum suppression_subject subject,
                     const char *pattern) {
    size_t count = suppression->part_count++;
    struct suppression_part *parts = pool_array(parser->pool, count + 1, sizeof *parts);
    if (count)
        memcpy(parts, suppression->parts, count * sizeof *parts);
    parts[count] = (struct suppression_part){subject, pattern};
    suppression->parts = parts;
}

/* "…" or '…', which may hold blanks; otherwise up to the next blank. */
static bool read_pattern(struct parser *parser, struct span *rest, const char **pattern) {
    struct span value;
    if (rest->at < rest->end && (*rest->at == '"' || *rest->at == '\'')) {
        const char *mark = rest->at++;
        value = (struct span){rest->at, memchr(rest->at, *mark, (size_t)(rest->end - rest->at))};
        if (!value.end)
            return mistake(parser, mark, "this quotation mark is not closed; put %c behind the pattern",
                           *mark);
        rest->at = value.end + 1;
        if (rest->at < rest->end && !is_blank(*rest->at))
            return mistake(parser, rest->at, "put a blank behind the closing quotation mark");
    } else {
        value = next_word(rest);
    }
    if (value.at == value.end)
        return mistake(parser, value.at, "the pattern is empty; use * for any text, or leave the part out");
    *pattern = pool_string_n(parser->pool, value.at, (size_t)(value.end - value.at));
    return true;
}

static bool read_part(struct parser *parser, struct span *rest, struct suppression *suppression) {
    struct span ahead = *rest, word = next_word(&ahead);
    const char *colon = colon_in(&word), *pattern = NULL;
    struct span name = {word.at, colon ? colon : word.end};
    for (size_t i = 0; i < COUNT(subjects); i++) {
        if (!span_is(&name, subjects[i].name))
            continue;
        if (!colon)
            return mistake(parser, word.end, "put a colon and a pattern behind \"%s\"", subjects[i].name);
        rest->at = colon + 1;
        if (!read_pattern(parser, rest, &pattern))
            return false;
        add_part(parser, suppression, subjects[i].subject, pattern);
        return true;
    }
    return mistake(parser, word.at, "\"%s\" is no part of a suppression; use " SUBJECTS,
                   clean(parser, name.at, name.end));
}

static bool names_a_kind(const char *pattern) {
    for (unsigned kind = 0; kind < LGR_KINDS; kind++)
        if (strcmp(kind_name((uint16_t)kind), "unknown") != 0 &&
            pattern_matches(pattern, kind_name((uint16_t)kind)))
            return true;
    return false;
}

static bool is_subject(const struct span *name) {
    for (size_t i = 0; i < COUNT(subjects); i++)
        if (span_is(name, subjects[i].name))
            return true;
    return false;
}

static bool read_kind(struct parser *parser, struct span *rest, struct suppression *suppression) {
    struct span word = next_word(rest);
    const char *colon = colon_in(&word);
    struct span name = {word.at, colon ? colon : word.end};
    const char *shown = clean(parser, name.at, name.end);
    if (is_subject(&name))
        return mistake(parser, word.at,
                       "the kind of finding is missing; begin with one such as order-cycle, or *");
    if (!names_a_kind(shown))
        return mistake(parser, word.at,
                       "\"%s\" is no kind of finding; `lockgraph run -O help=1` lists them as check.KIND",
                       shown);
    if (colon)
        return mistake(parser, colon, "put a blank behind the kind, then a part such as function:%s",
                       clean(parser, colon + 1, word.end));
    suppression->kind = shown;
    return true;
}

static bool read_own_line(struct parser *parser, struct span rest, struct suppression *suppression) {
    if (!read_kind(parser, &rest, suppression))
        return false;
    for (skip_blanks(&rest); rest.at < rest.end; skip_blanks(&rest))
        if (!read_part(parser, &rest, suppression))
            return false;
    if (suppression->part_count == 0)
        return mistake(parser, rest.end,
                       "this would suppress every %s; add " SUBJECTS ", or use the option check.%s=off",
                       suppression->kind, strchr(suppression->kind, '*') ? "KIND" : suppression->kind);
    if (!suppression->reason)
        return mistake(parser, rest.end,
                       "the reason is missing; put it behind \" # \" or on a comment line above");
    return true;
}

/* ---- ThreadSanitizer's lines ---- */

/* Its patterns match anywhere in a text unless ^ or $ hold them to an end. */
static const char *whole_pattern(struct parser *parser, const char *pattern) {
    bool from_start = pattern[0] == '^';
    size_t length = strcspn(pattern + from_start, "$");
    bool to_end = pattern[from_start + length] == '$';
    return pool_printf(parser->pool, "%s%.*s%s", from_start ? "" : "*", (int)length, pattern + from_start,
                       to_end ? "" : "*");
}

static bool read_thread_sanitizer_line(struct parser *parser, const char *from, const char *to,
                                       struct suppression *suppression) {
    const char *pattern = clean(parser, from, to);
    if (strspn(pattern, "^$*") == strlen(pattern))
        return mistake(parser, from, "the pattern is empty; name a function, file or module");
    add_part(parser, suppression, SUPPRESS_ANY_FRAME, whole_pattern(parser, pattern));
    return true;
}

/* ---- the file ---- */

static void add(struct parser *parser, const struct suppression *suppression) {
    struct suppressions *added = parser->added;
    if ((added->count & (added->count - 1)) == 0) { /* the room is a power of two */
        struct suppression *list =
            pool_array(parser->pool, added->count ? 2 * added->count : 1, sizeof *list);
        if (added->count)
            memcpy(list, added->list, added->count * sizeof *list);
        added->list = list;
    }
    added->list[added->count++] = *suppression;
}

static bool is_foreign(const struct span *type) {
    for (size_t i = 0; i < COUNT(foreign_types); i++)
        if (span_is(type, foreign_types[i]))
            return true;
    return false;
}

static void read_suppression(struct parser *parser, struct span body, const char *reason) {
    struct suppression suppression = {.file = parser->file,
                                      .line = parser->line,
                                      .text = clean(parser, body.at, body.end),
                                      .reason = reason ? reason : parser->reason};
    while (is_blank(body.end[-1])) /* the body is not empty and does not begin with a blank */
        body.end--;
    struct span ahead = body, word = next_word(&ahead);
    const char *colon = colon_in(&word);
    struct span type = {word.at, colon ? colon : word.at};
    if (is_foreign(&type))
        return;
    bool right = span_is(&type, "deadlock")
                     ? read_thread_sanitizer_line(parser, colon + 1, body.end, &suppression)
                     : read_own_line(parser, body, &suppression);
    if (right)
        add(parser, &suppression);
}

static bool is_text(struct parser *parser, const struct span *line) {
    for (const char *at = line->at; at < line->end; at++)
        if ((unsigned char)*at < ' ' && *at != '\t')
            return mistake(parser, at, "a byte %d, which is no text; is this the right file?", *at);
    return true;
}

/* A comment is the reason of the lines below it, up to the next empty one. */
static void read_line(struct parser *parser, struct span line) {
    if (line.at < line.end && line.end[-1] == '\r')
        line.end--;
    if (!is_text(parser, &line))
        return;
    skip_blanks(&line);
    const char *comment = comment_in(&line), *reason = NULL;
    if (comment < line.end)
        reason = clean(parser, comment + 1, line.end);
    if (reason && !reason[0])
        reason = NULL;
    if (comment > line.at)
        read_suppression(parser, (struct span){line.at, comment}, reason);
    else
        parser->reason = reason ? reason : comment < line.end ? parser->reason : NULL;
}

static void read_lines(struct parser *parser, const char *text, size_t length) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    const char *end = text + length;
    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        text += 3;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        parser->line++;
        parser->start = text;
        read_line(parser, (struct span){text, stop});
        text = stop + (newline != NULL);
    }
}

static void append(struct pool *pool, struct suppressions *to, const struct suppressions *from,
                   const char *file) {
    struct suppression *list = pool_array(pool, to->count + from->count, sizeof *list);
    const char **files = pool_array(pool, to->file_count + 1, sizeof *files);
    if (to->count)
        memcpy(list, to->list, to->count * sizeof *list);
    if (from->count)
        memcpy(list + to->count, from->list, from->count * sizeof *list);
    if (to->file_count)
        memcpy(files, to->files, to->file_count * sizeof *files);
    files[to->file_count] = file;
    *to = (struct suppressions){to->count + from->count, to->file_count + 1, list, files};
}

bool suppressions_parse(struct pool *pool, struct suppressions *suppressions, const char *file,
                        const char *text, size_t length, struct text *errors) {
    struct suppressions added = {0};
    struct parser parser = {.pool = pool, .added = &added, .file = text_clean(pool, file), .errors = errors};
    read_lines(&parser, text, length);
    if (parser.wrong > ERRORS_TOLD)
        text_printf(errors, "%s: and %zu more mistakes\n", parser.file, parser.wrong - ERRORS_TOLD);
    if (parser.wrong == 0)
        append(pool, suppressions, &added, parser.file);
    return parser.wrong == 0;
}
