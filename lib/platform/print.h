/* Text to the standard error, one write per message, and formatting without
 * stdio.  Async-signal-safe. */
#ifndef LOCKGRAPH_PLATFORM_PRINT_H
#define LOCKGRAPH_PLATFORM_PRINT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growing line in a caller's buffer, zero-terminated after every call;
 * silently cut at its end (the cut is marked by "..."). */
struct lgp_text {
    char *buffer;
    size_t size;
    size_t length;
};
/* Directives: %s %d %u %x %p %c %% with l/ll/z, width and zero padding; %s of
 * NULL prints "?". */
void lgp_format(struct lgp_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lgp_format_v(struct lgp_text *text, const char *format, va_list arguments);

/* "lockgraph[PID]: <text>\n" to the log sink (descriptor 2 unless redirected),
 * in one write. */
void lgp_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Raw text to the log sink. */
void lgp_write(const char *text, size_t length);
/* Remembers what descriptor 2 is: once it is something else, or closed, text is
 * dropped, never written into the program's own files.  From the constructor. */
void lgp_log_start(void);
/* Sends what comes after to another descriptor. */
void lgp_log_redirect(int descriptor);

#endif
