#include "platform/print.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "platform/system.h"

enum { WARNING_SIZE = 2048 };

/* --- formatting --- */

struct directive {
    unsigned width;
    bool zero_padded;
    unsigned longs; /* 1 also for z: size_t is unsigned long */
    char conversion;
};

static void mark_cut(struct lgp_text *text) {
    for (size_t i = 2; i <= 4 && i <= text->size; i++)
        text->buffer[text->size - i] = '.';
}

/* The buffer ends in a zero byte at all times. */
static void put(struct lgp_text *text, char c) {
    if (text->length + 1 >= text->size) {
        mark_cut(text);
        return;
    }
    text->buffer[text->length++] = c;
    text->buffer[text->length] = '\0';
}

static void put_padding(struct lgp_text *text, size_t length, unsigned width, char filler) {
    for (; length < width; length++)
        put(text, filler);
}

static void put_string(struct lgp_text *text, const char *string, const struct directive *directive) {
    size_t length = 0;
    if (string == NULL)
        string = "?";
    if (directive->width > 0)
        while (string[length] != '\0')
            length++;
    put_padding(text, length, directive->width, ' ');
    for (; *string != '\0'; string++)
        put(text, *string);
}

/* Writes the digits backwards, ending before `end`; returns the first. */
static char *digits(char *end, uint64_t value, unsigned base) {
    do {
        *--end = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    return end;
}

static void put_number(struct lgp_text *text, uint64_t value, bool negative,
                       const struct directive *directive) {
    char room[24];
    char *end = room + sizeof(room);
    char *first = digits(end, value, directive->conversion == 'x' || directive->conversion == 'p' ? 16 : 10);
    size_t length = (size_t)(end - first) + (negative ? 1 : 0);
    if (!directive->zero_padded)
        put_padding(text, length, directive->width, ' ');
    if (negative)
        put(text, '-');
    if (directive->zero_padded)
        put_padding(text, length, directive->width, '0');
    while (first < end)
        put(text, *first++);
}

static void put_pointer(struct lgp_text *text, uintptr_t value, struct directive *directive) {
    put(text, '0');
    put(text, 'x');
    directive->width = directive->width > 2 ? directive->width - 2 : 0;
    put_number(text, value, false, directive);
}

static const char *read_directive(const char *format, struct directive *directive) {
    *directive = (struct directive){0, false, 0, '\0'};
    if (*format == '0')
        directive->zero_padded = true;
    for (; *format >= '0' && *format <= '9'; format++)
        directive->width = directive->width * 10 + (unsigned)(*format - '0');
    for (; *format == 'l' || *format == 'z'; format++)
        directive->longs++;
    directive->conversion = *format;
    return *format == '\0' ? format : format + 1;
}

/* A va_list cannot be handed down by value and then used on: hence the box. */
struct arguments {
    va_list list;
};

static void put_signed(struct lgp_text *text, struct arguments *arguments,
                       const struct directive *directive) {
    int64_t value = directive->longs > 0 ? va_arg(arguments->list, long) : va_arg(arguments->list, int);
    put_number(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, directive);
}

static void put_unsigned(struct lgp_text *text, struct arguments *arguments,
                         const struct directive *directive) {
    uint64_t value =
        directive->longs > 0 ? va_arg(arguments->list, unsigned long) : va_arg(arguments->list, unsigned);
    put_number(text, value, false, directive);
}

static void put_directive(struct lgp_text *text, struct arguments *arguments, struct directive *directive) {
    switch (directive->conversion) {
    case 's':
        put_string(text, va_arg(arguments->list, const char *), directive);
        break;
    case 'd':
        put_signed(text, arguments, directive);
        break;
    case 'u':
    case 'x':
        put_unsigned(text, arguments, directive);
        break;
    case 'p':
        put_pointer(text, (uintptr_t)va_arg(arguments->list, void *), directive);
        break;
    case 'c':
        put(text, (char)va_arg(arguments->list, int));
        break;
    default:
        put(text, directive->conversion == '\0' ? '%' : directive->conversion);
    }
}

void lgp_format_v(struct lgp_text *text, const char *format, va_list list) {
    struct arguments arguments;
    va_copy(arguments.list, list);
    if (text->size > text->length)
        text->buffer[text->length] = '\0';
    while (*format != '\0') {
        if (*format != '%') {
            put(text, *format++);
            continue;
        }
        struct directive directive;
        format = read_directive(format + 1, &directive);
        put_directive(text, &arguments, &directive);
    }
    va_end(arguments.list);
}

void lgp_format(struct lgp_text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    lgp_format_v(text, format, list);
    va_end(list);
}

/* --- warnings --- */

void lgp_warn(const char *format, ...) {
    char buffer[WARNING_SIZE];
    struct lgp_text text = {buffer, sizeof(buffer) - 1, 0}; /* one byte is left for the line's end */
    va_list list;
    va_start(list, format);
    lgp_format(&text, "lockgraph[%u]: ", lgp_pid());
    lgp_format_v(&text, format, list);
    va_end(list);
    buffer[text.length++] = '\n';
    lgp_write(buffer, text.length);
}
