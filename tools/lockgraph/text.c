#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct text *text, size_t extra) {
    if (text->capacity - text->length > extra)
        return;
    size_t wanted = (text->length + extra + 1) * 2;
    text->data = checked_resize(text->data, wanted, 1);
    text->capacity = wanted;
}

void text_add_n(struct text *text, const char *bytes, size_t length) {
    reserve(text, length);
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = 0;
}

void text_add(struct text *text, const char *string) { text_add_n(text, string, strlen(string)); }

void text_fill(struct text *text, char character, size_t count) {
    while (count--)
        text_add_n(text, &character, 1);
}

void text_vprintf(struct text *text, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length > 0) {
        reserve(text, (size_t)length);
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void text_printf(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(text, format, arguments);
    va_end(arguments);
}

void text_free(struct text *text) {
    free(text->data);
    *text = (struct text){0};
}

const char *text_string(const struct text *text) { return text->data ? text->data : ""; }

/* Decodes one UTF-8 sequence (RFC 3629: no overlong form, no surrogate).
 * Returns its length, 0 when `s` does not start a valid one. */
static size_t decode(const unsigned char *s, uint32_t *code) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    if (length <= 1) {
        *code = s[0];
        return length;
    }
    *code = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3fu);
    }
    bool valid = *code >= smallest[length] && *code <= 0x10ffff && (*code < 0xd800 || *code > 0xdfff);
    return valid ? length : 0;
}

/* C0, DEL, C1; line and paragraph separators; direction marks, overrides and
 * isolates (they can make a report read as something else); what XML cannot hold. */
static bool harmful(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff ||
           code == 0x61c || code == 0xfffe || code == 0xffff;
}

char *text_clean(struct pool *pool, const char *string) {
    struct text out = {0};
    const unsigned char *at = (const unsigned char *)(string ? string : "");
    while (*at) {
        uint32_t code = 0;
        size_t length = decode(at, &code);
        if (length == 0)
            text_printf(&out, "\\x%02x", *at++);
        else if (harmful(code))
            text_printf(&out, code < 0x80 ? "\\x%02x" : "\\u{%x}", code);
        else
            text_add_n(&out, (const char *)at, length);
        at += length;
    }
    char *result = pool_string(pool, text_string(&out));
    text_free(&out);
    return result;
}

size_t text_width(const char *string) {
    size_t width = 0;
    for (; *string; string++)
        width += ((unsigned char)*string & 0xc0) != 0x80;
    return width;
}

void text_wrap(struct text *text, const char *string, size_t column, size_t indent, size_t width) {
    bool fresh = true; /* nothing of ours on this line yet */
    while (*string) {
        size_t length = strcspn(string, " ");
        char *word = strndup(string, length);
        size_t columns = word ? text_width(word) : length;
        free(word);
        if (!fresh && column + 1 + columns > width) {
            text_add(text, "\n");
            text_fill(text, ' ', indent);
            column = indent;
            fresh = true;
        }
        if (!fresh)
            text_add(text, " ");
        text_add_n(text, string, length);
        column += columns + !fresh;
        fresh = false;
        string += length + (string[length] == ' ');
    }
    text_add(text, "\n");
}
