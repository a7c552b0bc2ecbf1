/* lg_on_finding, lg_report: include/lockgraph/finding.h. */
#include "lockgraph/finding.h"

#include <errno.h>
#include <stdarg.h>

#include "engine/misuse.h"
#include "interpose/finding_callback.h"
#include "interpose/self.h"
#include "platform/print.h"

LGI_EXPORT void lg_on_finding(lg_finding_callback *callback, void *user) {
    lgi_finding_callback(callback, user);
}

static uint8_t severity_of(enum lg_severity severity) {
    return (uint8_t)(severity == LG_NOTE || severity == LG_WARNING ? severity : LG_ERROR);
}

LGI_EXPORT void lg_report(enum lg_severity severity, const char *format, ...) {
    enum { SIZE = 512 };
    char buffer[SIZE];
    struct lgp_text text = {buffer, sizeof buffer, 0};
    int saved = errno;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    lgp_format_v(&text, format, arguments);
    va_end(arguments);
    lge_report_misuse(thread, &(struct lge_misuse){.kind = LGR_KIND_USER,
                                                   .site = LGI_SITE(),
                                                   .sp = LGI_SP(),
                                                   .severity = severity_of(severity),
                                                   .text = buffer});
    lgi_leave(thread);
    errno = saved;
}
