/* A growing string, and the one place where text that came from the observed
 * program is made harmless for a terminal. */
#ifndef LOCKGRAPH_COMMAND_TEXT_H
#define LOCKGRAPH_COMMAND_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include "pool.h"

struct text {
    char *data; /* always terminated once anything was appended */
    size_t length, capacity;
};

void text_add(struct text *text, const char *string);
void text_add_n(struct text *text, const char *bytes, size_t length);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_fill(struct text *text, char character, size_t count);
void text_free(struct text *text);
/* "" when nothing was appended. */
const char *text_string(const struct text *text);

/* A copy of `string` that is valid UTF-8 on one line, free of control
 * characters, escape sequences and direction overrides; each such byte or
 * character becomes \xNN or \u{NNNN}.  NULL gives "". */
char *text_clean(struct pool *pool, const char *string);

/* Appends `string` broken at spaces into lines of at most `width` columns, a
 * newline after each.  The first line follows what is already on it, at column
 * `column`; the others are indented by `indent`. */
void text_wrap(struct text *text, const char *string, size_t column, size_t indent, size_t width);

/* Columns that a clean string takes: one per code point. */
size_t text_width(const char *string);

#endif
