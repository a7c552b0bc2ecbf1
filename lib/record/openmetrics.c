#include "record/openmetrics.h"

#include <string.h>

#include "platform/print.h"

enum { PIECE = 160 };

struct output {
    void (*put)(void *to, const char *text, size_t length);
    void *to;
};

static void say(const struct output *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct output *out, const char *format, ...) {
    char buffer[PIECE];
    struct lgp_text text = {buffer, sizeof buffer, 0};
    va_list arguments;
    va_start(arguments, format);
    lgp_format_v(&text, format, arguments);
    va_end(arguments);
    out->put(out->to, buffer, text.length);
}

static void say_text(const struct output *out, const char *text) { out->put(out->to, text, strlen(text)); }

static void say_family(const struct output *out, const char *name, const char *type, const char *unit,
                       const char *help) {
    say(out, "# TYPE %s %s\n", name, type);
    if (unit != NULL)
        say(out, "# UNIT %s %s\n", name, unit);
    say(out, "# HELP %s ", name);
    say_text(out, help);
    say_text(out, "\n");
}

/* Nanoseconds as seconds, exactly. */
static void say_seconds(const struct output *out, uint64_t ns) {
    const uint64_t second = 1000000000;
    say(out, "%lu.%09lu", (unsigned long)(ns / second), (unsigned long)(ns % second));
}

/* ---- classes ---- */

/* Bytes of the character that begins there; 0: none does. */
static size_t character(const char *text) {
    unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

static void say_escaped(const struct output *out, const char *value) {
    while (*value != '\0') {
        size_t length = character(value);
        if (length == 0)
            say_text(out, "?");
        else if (*value == '\\' || *value == '"')
            say(out, "\\%c", *value);
        else if (*value == '\n')
            say_text(out, "\\n");
        else
            out->put(out->to, value, length);
        value += length == 0 ? 1 : length;
    }
}

/* Up to where more labels, or the end of them, come. */
static void say_sample(const struct output *out, const char *name, const struct lgr_class_metrics *class) {
    say_text(out, name);
    say_text(out, "{class=\"");
    say_escaped(out, class->name);
    say_text(out, "\",id=\"");
    say_escaped(out, class->id);
    say_text(out, "\"");
}

static void say_buckets(const struct output *out, const char *name, const struct lgr_class_metrics *class,
                        const struct lgr_times *times) {
    uint64_t count = 0;
    for (unsigned i = 0; i < LGR_BUCKETS; i++) {
        count += times->buckets[i];
        say_sample(out, name, class);
        say_text(out, ",le=\"");
        if (lgr_bucket_edge(i) == UINT64_MAX)
            say_text(out, "+Inf");
        else
            say_seconds(out, lgr_bucket_edge(i));
        say(out, "\"} %lu\n", (unsigned long)count);
    }
}

/* Its names with their endings, which no compiler puts together for us. */
struct histogram {
    const char *bucket, *sum, *count;
};

static void say_histogram(const struct output *out, const struct histogram *name,
                          const struct lgr_class_metrics *class, const struct lgr_times *times) {
    say_buckets(out, name->bucket, class, times);
    say_sample(out, name->sum, class);
    say_text(out, "} ");
    say_seconds(out, times->total_ns);
    say_text(out, "\n");
    say_sample(out, name->count, class);
    say(out, "} %lu\n", (unsigned long)lgr_times_count(times));
}

#define EACH(metrics, class)                                                                                 \
    for (const struct lgr_class_metrics *class = (metrics)->classes;                                         \
         class != (metrics)->classes + (metrics)->class_count; class ++)

static void say_counts(const struct output *out, const struct lgr_metrics *metrics, const char *name,
                       size_t offset) {
    EACH(metrics, class) {
        say_sample(out, name, class);
        uint64_t value;
        memcpy(&value, (const char *)&class->figures + offset, sizeof value);
        say(out, "} %lu\n", (unsigned long)value);
    }
}

static void say_longest(const struct output *out, const struct lgr_metrics *metrics, const char *name,
                        size_t offset) {
    EACH(metrics, class) {
        say_sample(out, name, class);
        uint64_t value;
        memcpy(&value, (const char *)&class->figures + offset, sizeof value);
        say_text(out, "} ");
        say_seconds(out, value);
        say_text(out, "\n");
    }
}

static void say_waits(const struct output *out, const struct lgr_metrics *metrics) {
    static const struct histogram wait = {"lockgraph_lock_wait_seconds_bucket",
                                          "lockgraph_lock_wait_seconds_sum",
                                          "lockgraph_lock_wait_seconds_count"};
    say_family(out, "lockgraph_lock_contended", "counter", NULL, "Acquisitions that had to wait.");
    say_counts(out, metrics, "lockgraph_lock_contended_total", offsetof(struct lgr_figures, contended));
    say_family(out, "lockgraph_lock_owner_changes", "counter", NULL,
               "Of these, by another thread than the one that waited for the same lock before.");
    say_counts(out, metrics, "lockgraph_lock_owner_changes_total",
               offsetof(struct lgr_figures, owner_changes));
    say_family(out, "lockgraph_lock_waiters_max", "gauge", NULL,
               "Most threads that waited at once for locks of the class.");
    say_counts(out, metrics, "lockgraph_lock_waiters_max", offsetof(struct lgr_figures, waiters_max));
    say_family(out, "lockgraph_lock_wait_seconds", "histogram", "seconds", "Waits that ended.");
    EACH(metrics, class) say_histogram(out, &wait, class, &class->figures.wait);
    say_family(out, "lockgraph_lock_wait_max_seconds", "gauge", "seconds", "The longest of them.");
    say_longest(out, metrics, "lockgraph_lock_wait_max_seconds", offsetof(struct lgr_figures, wait.max_ns));
}

static void say_holds(const struct output *out, const struct lgr_metrics *metrics) {
    static const struct histogram hold = {"lockgraph_lock_hold_seconds_bucket",
                                          "lockgraph_lock_hold_seconds_sum",
                                          "lockgraph_lock_hold_seconds_count"};
    say_family(out, "lockgraph_lock_acquisitions", "counter", NULL, "Acquisitions that were given back.");
    EACH(metrics, class) {
        say_sample(out, "lockgraph_lock_acquisitions_total", class);
        say(out, "} %lu\n", (unsigned long)lgr_times_count(&class->figures.hold));
    }
    say_family(out, "lockgraph_lock_untimed", "counter", NULL,
               "Of these, counted and not timed: each was taken to be as long as one that was.");
    say_counts(out, metrics, "lockgraph_lock_untimed_total", offsetof(struct lgr_figures, estimated));
    say_family(out, "lockgraph_lock_hold_seconds", "histogram", "seconds", "Holds that ended.");
    EACH(metrics, class) say_histogram(out, &hold, class, &class->figures.hold);
    say_family(out, "lockgraph_lock_hold_max_seconds", "gauge", "seconds", "The longest of them.");
    say_longest(out, metrics, "lockgraph_lock_hold_max_seconds", offsetof(struct lgr_figures, hold.max_ns));
}

/* ---- the process ---- */

static void say_one(const struct output *out, const char *name, const char *type, const char *help,
                    uint64_t value) {
    say_family(out, name, type, NULL, help);
    say(out, "%s%s %lu\n", name, strcmp(type, "counter") == 0 ? "_total" : "", (unsigned long)value);
}

static void say_process(const struct output *out, const struct lgr_process_metrics *process) {
    say_one(out, "lockgraph_processes", "gauge", "Processes that these figures are of.", process->processes);
    say_one(out, "lockgraph_locks", "counter", "Locks seen.", process->locks);
    say_one(out, "lockgraph_threads", "counter", "Threads seen.", process->threads);
    say_one(out, "lockgraph_nested_acquisitions", "counter", "Acquisitions with another lock held.",
            process->nested);
    say_one(out, "lockgraph_contended", "counter", "Acquisitions that had to wait, of all classes.",
            process->contended);
    say_one(out, "lockgraph_ordered_pairs", "counter", "Pairs of locks whose order is known.",
            process->ordered_pairs);
    say_one(out, "lockgraph_unwrapped", "counter", "Calls that could not be followed.", process->unwrapped);
    say_one(out, "lockgraph_dropped", "counter", "Records of evidence that were not written.",
            process->dropped);
    say_one(out, "lockgraph_findings", "gauge", "Problems found.", process->findings);
    say_one(out, "lockgraph_errors", "gauge", "Of these, errors.", process->errors);
}

void lgr_openmetrics(const struct lgr_metrics *metrics,
                     void (*put)(void *to, const char *text, size_t length), void *to) {
    struct output out = {put, to};
    say_waits(&out, metrics);
    if (metrics->holds)
        say_holds(&out, metrics);
    say_process(&out, &metrics->process);
    say_text(&out, "# EOF\n");
}
