#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sd_text_free(struct sd_text *text) {
    free(text->bytes);
    *text = (struct sd_text){0};
}

char *sd_text_take(struct sd_text *text) {
    sd_text_add(text, ""); /* not NULL where it is merely empty */
    char *bytes = text->bytes;
    if (text->failed) {
        free(bytes);
        bytes = NULL;
    }
    *text = (struct sd_text){0};
    return bytes;
}

void sd_text_clear(struct sd_text *text) {
    text->length = 0;
    text->failed = false;
    if (text->bytes != NULL)
        text->bytes[0] = 0;
}

static bool make_room(struct sd_text *text, size_t more) {
    if (text->failed)
        return false;
    if (text->length + more < text->room)
        return true;
    size_t room = (text->length + more + 64) * 2;
    char *bytes = realloc(text->bytes, room);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->room = room;
    return true;
}

void sd_text_add_bytes(struct sd_text *text, const void *bytes, size_t length) {
    if (!make_room(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
}

void sd_text_add(struct sd_text *text, const char *string) {
    sd_text_add_bytes(text, string, strlen(string));
}

void sd_text_format(struct sd_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !make_room(text, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

/* The length of the UTF-8 sequence that begins here; 0: none does. */
static size_t sequence(const unsigned char *at) {
    size_t length = at[0] < 0x80                    ? 1
                    : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                    : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                    : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                    : 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool beyond = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
    return overlong || beyond ? 0 : length;
}

void sd_text_json(struct sd_text *text, const char *string) {
    const unsigned char *at = (const unsigned char *)string;
    sd_text_add(text, "\"");
    while (*at != 0) {
        size_t length = sequence(at);
        if (length == 0)
            sd_text_add(text, "\\ufffd");
        else if (*at == '"' || *at == '\\')
            sd_text_format(text, "\\%c", *at);
        else if (*at < 0x20)
            sd_text_format(text, "\\u%04x", *at);
        else
            sd_text_add_bytes(text, at, length);
        at += length == 0 ? 1 : length;
    }
    sd_text_add(text, "\"");
}

void sd_text_label(struct sd_text *text, const char *string) {
    for (; *string != 0; string++) {
        if (*string == '\n')
            sd_text_add(text, "\\n");
        else if (*string == '"' || *string == '\\')
            sd_text_format(text, "\\%c", *string);
        else
            sd_text_add_bytes(text, string, 1);
    }
}

void sd_copy(char *to, size_t room, const char *from) {
    size_t length = strnlen(from, room - 1);
    memcpy(to, from, length);
    to[length] = 0;
}

bool sd_equal_in_constant_time(const char *a, const char *b) {
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t differs = a_length ^ b_length;
    for (size_t i = 0; i < a_length; i++) /* a zero of b's is read again where it is shorter */
        differs |= (size_t)(unsigned char)(a[i] ^ b[i < b_length ? i : b_length]);
    return differs == 0;
}

bool sd_parse_number(const char *string, int64_t least, int64_t most, int64_t *number) {
    char *end;
    if (string[0] != '-' && (string[0] < '0' || string[0] > '9'))
        return false;
    errno = 0;
    long long value = strtoll(string, &end, 10);
    if (errno != 0 || end == string || *end != 0 || value < least || value > most)
        return false;
    *number = value;
    return true;
}
