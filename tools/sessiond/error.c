#include "error.h"

#include <stdarg.h>
#include <stdio.h>

#include "text.h"
#include "trace.h"

__attribute__((format(printf, 6, 0))) static bool set(struct sd_error *error, int status, const char *code,
                                                      const char *field, int retry_after_s, const char *text,
                                                      va_list arguments) {
    if (error == NULL)
        return false;
    error->status = status;
    error->retry_after_s = retry_after_s;
    error->code = code;
    sd_copy(error->field, sizeof error->field, field);
    vsnprintf(error->text, sizeof error->text, text, arguments);
    sd_trace_here();
    return false;
}

bool sd_fail(struct sd_error *error, int status, const char *code, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    set(error, status, code, "", 0, text, arguments);
    va_end(arguments);
    return false;
}

bool sd_fail_field(struct sd_error *error, const char *field, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    set(error, 400, "bad_field", field, 0, text, arguments);
    va_end(arguments);
    return false;
}

bool sd_fail_busy(struct sd_error *error, const char *code, int retry_after_s, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    set(error, 503, code, "", retry_after_s, text, arguments);
    va_end(arguments);
    return false;
}
