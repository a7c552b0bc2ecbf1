#include "platform/log_line.h"

#include <stdatomic.h>
#include <stdint.h>

#include "platform/log_target.h"
#include "platform/system.h"

static enum lgp_log_level most = LGP_LOG_WARNING; /* written by the constructor */

void lgp_log_set_level(enum lgp_log_level level) { most = level; }
bool lgp_log_wanted(enum lgp_log_level level) { return level <= most; }

void lgp_log_begin(struct lgp_log_line *line, enum lgp_log_level level) {
    static const char *const names[] = {"ERROR", "WARNING", "INFO", "DEBUG"};
    uint64_t ms = lgp_realtime_ns() / 1000000;
    char name[16];
    lgp_thread_name(name);
    line->text = (struct lgp_text){line->buffer, sizeof line->buffer - 1, 0}; /* room for the line's end */
    lgp_format(&line->text, "[%lu.%03lu] %s lockgraph[%u/%u %s]: ", (unsigned long)(ms / 1000),
               (unsigned long)(ms % 1000), names[level], lgp_pid(), lgp_tid(), name);
}

/* Lines written in that second.  Relaxed: one line too many does no harm. */
static struct {
    _Atomic uint64_t second;
    _Atomic uint32_t written, left_out;
} rate;

static bool too_many(void) {
    enum { A_SECOND = 50 };
    uint64_t second = lgp_monotonic_ns() / 1000000000;
    if (atomic_exchange_explicit(&rate.second, second, memory_order_relaxed) != second)
        atomic_store_explicit(&rate.written, 0, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&rate.written, 1, memory_order_relaxed) < A_SECOND)
        return false;
    atomic_fetch_add_explicit(&rate.left_out, 1, memory_order_relaxed);
    return true;
}

void lgp_log_end_asked(struct lgp_log_line *line, enum lgp_log_level level) {
    line->buffer[line->text.length++] = '\n';
    lgp_log_write(level, line->buffer, line->text.length);
}

void lgp_log_end(struct lgp_log_line *line, enum lgp_log_level level) {
    if (level != LGP_LOG_DEBUG && too_many())
        return;
    uint32_t left_out = atomic_exchange_explicit(&rate.left_out, 0, memory_order_relaxed);
    if (left_out != 0)
        lgp_format(&line->text, " (%u lines before this were left out)", left_out);
    lgp_log_end_asked(line, level);
}
