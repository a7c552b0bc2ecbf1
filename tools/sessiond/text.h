/* Text that grows, and the few things all need to do to text.  The owner frees it; one
 * thread at a time.  No locks.  When memory runs out, `failed` is set, the text keeps
 * what it had and further additions do nothing: look at it once, at the end. */
#ifndef SD_TEXT_H
#define SD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sd_text {
    char *bytes; /* ended by a zero; NULL: empty */
    size_t length, room;
    bool failed;
};

void sd_text_free(struct sd_text *text);
/* The bytes are the caller's (free); NULL where it failed.  The text is empty after. */
char *sd_text_take(struct sd_text *text);
void sd_text_clear(struct sd_text *text);
void sd_text_add(struct sd_text *text, const char *string);
void sd_text_add_bytes(struct sd_text *text, const void *bytes, size_t length);
void sd_text_format(struct sd_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void sd_text_json(struct sd_text *text, const char *string);
/* The value of a label, escaped as OpenMetrics wants it; without quotes. */
void sd_text_label(struct sd_text *text, const char *string);

/* Copies as much as fits, always ended by a zero. */
void sd_copy(char *to, size_t room, const char *from);
/* Takes as long whatever the difference is, but for the lengths. */
bool sd_equal_in_constant_time(const char *a, const char *b);
/* The whole of `string` as a number in [least, most]. */
bool sd_parse_number(const char *string, int64_t least, int64_t most, int64_t *number);

#endif
